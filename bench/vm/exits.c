/*
 * What an exit costs a monitor written in C, for bench/vm/exits.ts: nanoseconds for each of as many exits as it is told.
 *   exits guest COUNT     a guest in real mode that writes to a port
 *   exits isolated COUNT  the same loop, with the cheapest ioctl instead of KVM_RUN, as many times over; the fastest counts
 */
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>

enum { BURSTS = 200 };

static unsigned long written;

static void device(uint16_t port, uint8_t value)
{
	if (port == 0x3f8)
		written += value;
}

static int serve(struct kvm_run *run)
{
	if (run->exit_reason != KVM_EXIT_IO)
		return 0;
	uint8_t *data = (uint8_t *)run + run->io.data_offset;
	for (uint32_t i = 0; i < run->io.count; i++)
		device(run->io.port, data[i * run->io.size]);
	return 1;
}

/* A burst is short: the fastest of many was alone on its processor. */
static double now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1e9 + time.tv_nsec;
}

int main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	int isolated = !strcmp(argv[1], "isolated");
	uint32_t count = (uint32_t)atol(argv[2]), done = 0;
	int kvm = open("/dev/kvm", O_RDWR), vm = ioctl(kvm, KVM_CREATE_VM, 0), vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
	struct kvm_run *run = mmap(NULL, (size_t)ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0), PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
	uint8_t *memory = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	/* mov ecx, count; mov dx, 0x3f8; back: out dx, al; dec ecx; jnz back; hlt */
	static const uint8_t code[] = { 0x66, 0xb9, 0, 0, 0, 0, 0xba, 0xf8, 3, 0xee, 0x66, 0x49, 0x75, 0xfb, 0xf4 };
	memcpy(memory + 0x1000, code, sizeof code);
	memcpy(memory + 0x1002, &count, 4);
	struct kvm_userspace_memory_region region = { .memory_size = 65536, .userspace_addr = (uintptr_t)memory };
	struct kvm_sregs sregs;
	struct kvm_regs regs = { .rip = 0x1000, .rflags = 2 };
	if (ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region) || ioctl(vcpu, KVM_GET_SREGS, &sregs))
		return 1;
	sregs.cs.base = sregs.cs.selector = 0;
	if (ioctl(vcpu, KVM_SET_SREGS, &sregs) || ioctl(vcpu, KVM_SET_REGS, &regs))
		return 1;
	run->exit_reason = KVM_EXIT_IO;
	run->io.size = run->io.count = 1;
	run->io.port = 0x3f8;
	run->io.data_offset = 4096;
	double least = 1e9;
	for (int burst = 0; burst < (isolated ? BURSTS : 1); burst++) {
		double start = now();
		done = 0;
		if (isolated)
			while (done < count && !ioctl(kvm, FIOCLEX, 0) && serve(run))
				done++;
		else
			while (!ioctl(vcpu, KVM_RUN, 0) && serve(run))
				done++;
		double each = (now() - start) / count;
		least = each < least ? each : least;
	}
	printf("%.1f\n", least);
	return done != count;
}
