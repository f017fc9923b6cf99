#include <err.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

static const uint8_t guest[] = {
    0xba, 0xf8, 0x03,                                     /* mov dx, 0x3f8 */
    0xb0, 'H', 0xee, 0xb0, 'i', 0xee, 0xb0, '!', 0xee,    /* mov al, 'H'; out dx, al; ... */
    0xb0, '\n', 0xee,
    0xf4,                                                 /* hlt */
};

static int must(int result, const char *what)
{
    if (result < 0)
        err(1, "%s", what);
    return result;
}

int main(void)
{
    /* 1. The device: one for the whole system. */
    int kvm = must(open("/dev/kvm", O_RDWR | O_CLOEXEC), "/dev/kvm");
    if (ioctl(kvm, KVM_GET_API_VERSION, 0) != KVM_API_VERSION)
        errx(1, "another KVM");

    /* 2. A machine, and a megabyte of memory for it: ours, and the guest's from address 0 on. */
    int vm = must(ioctl(kvm, KVM_CREATE_VM, 0), "KVM_CREATE_VM");
    uint8_t *memory = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        err(1, "mmap");
    memcpy(memory + 0x7c00, guest, sizeof guest);
    struct kvm_userspace_memory_region region = {
        .slot = 0, .guest_phys_addr = 0, .memory_size = 1 << 20, .userspace_addr = (uintptr_t)memory,
    };
    must(ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region), "KVM_SET_USER_MEMORY_REGION");

    /* 3. A processor, and the page that it talks to us through. */
    int vcpu = must(ioctl(vm, KVM_CREATE_VCPU, 0), "KVM_CREATE_VCPU");
    int size = must(ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0), "KVM_GET_VCPU_MMAP_SIZE");
    struct kvm_run *run = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
    if (run == MAP_FAILED)
        err(1, "mmap");

    /* 4. Where it begins. After a reset CS points below 4 GiB, to firmware that we have none of. */
    struct kvm_sregs sregs;
    must(ioctl(vcpu, KVM_GET_SREGS, &sregs), "KVM_GET_SREGS");
    sregs.cs.base = sregs.cs.selector = 0;
    must(ioctl(vcpu, KVM_SET_SREGS, &sregs), "KVM_SET_SREGS");
    struct kvm_regs regs = { .rip = 0x7c00, .rflags = 2 };
    must(ioctl(vcpu, KVM_SET_REGS, &regs), "KVM_SET_REGS");

    /* 5. The loop. */
    for (int exits = 1;; exits++) {
        must(ioctl(vcpu, KVM_RUN, 0), "KVM_RUN");
        switch (run->exit_reason) {
        case KVM_EXIT_IO:
            if (run->io.direction == KVM_EXIT_IO_OUT && run->io.port == 0x3f8)
                fwrite((char *)run + run->io.data_offset, run->io.size, run->io.count, stdout);
            break;
        case KVM_EXIT_HLT:
            printf("halted after %d exits\n", exits);
            return 0;
        default:
            errx(1, "exit reason %d", run->exit_reason);
        }
    }
}
