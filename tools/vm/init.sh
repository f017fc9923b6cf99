#!/bin/busybox sh
# The guest's first program, out of the initramfs: the host's root becomes the guest's, and boot.sh runs in it. What to do is in
# /vm: `modules` (a line each, in order), `cgroup` (unified, legacy or hybrid) and `folder` (the clone). Any failure ends the guest.
set -eu

/bin/busybox mkdir -p /proc /sys /dev /host /changes /root
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev

while read -r module; do
  insmod "/modules/$module.ko"
done </vm/modules

# The host's files cannot be written; what the guest writes stays in its memory.
mount -t 9p -o ro,trans=virtio,version=9p2000.L,msize=512000,cache=loose host /host
mount -t tmpfs tmpfs /changes
mkdir /changes/upper /changes/work
mount -t overlay -o lowerdir=/host,upperdir=/changes/upper,workdir=/changes/work overlay /root

mkdir -p /dev/pts /dev/shm /dev/mqueue
mount -t devpts -o gid=5,mode=620,ptmxmode=666 devpts /dev/pts
mount -t tmpfs -o mode=1777 tmpfs /dev/shm
mount -t mqueue mqueue /dev/mqueue
ln -s /proc/self/fd /dev/fd
ln -s fd/0 /dev/stdin
ln -s fd/1 /dev/stdout
ln -s fd/2 /dev/stderr
mount -t securityfs securityfs /sys/kernel/security
mount -t bpf bpf /sys/fs/bpf

# The hierarchies of v1, with the names and in the groups that systemd gives them.
mount_v1() {
  mount -t tmpfs -o mode=755 cgroup /sys/fs/cgroup
  for controllers in cpuset cpu,cpuacct blkio memory devices freezer net_cls,net_prio perf_event hugetlb pids rdma misc none,name=systemd; do
    folder=/sys/fs/cgroup/${controllers#none,name=}
    mkdir "$folder"
    mount -t cgroup -o "$controllers" cgroup "$folder"
  done
  for link in cpu cpuacct; do ln -s cpu,cpuacct "/sys/fs/cgroup/$link"; done
  for link in net_cls net_prio; do ln -s net_cls,net_prio "/sys/fs/cgroup/$link"; done
}

case $(cat /vm/cgroup) in
  unified) mount -t cgroup2 cgroup2 /sys/fs/cgroup ;;
  legacy) mount_v1 ;;
  hybrid)
    mount_v1
    mkdir /sys/fs/cgroup/unified
    mount -t cgroup2 cgroup2 /sys/fs/cgroup/unified
    ;;
esac

for folder in proc sys dev; do mount --move "/$folder" "/root/$folder"; done
mount -t tmpfs -o mode=755 tmpfs /root/run
mount -t tmpfs -o mode=1777 tmpfs /root/tmp
# A clone in a folder that was just hidden is shown again.
folder=$(cat /vm/folder)
case $folder in
  /tmp/* | /run/*)
    mkdir -p "/root$folder"
    mkdir /changes/clone /changes/clone-work
    mount -t overlay -o "lowerdir=/host$folder,upperdir=/changes/clone,workdir=/changes/clone-work" overlay "/root$folder"
    ;;
esac
cp -r /vm /root/run/vm
cp /bin/busybox /root/run/vm/busybox

hostname delos-vm
ifconfig lo up
exec switch_root /root /run/vm/busybox sh /run/vm/boot.sh
