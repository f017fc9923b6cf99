/**
 * C source of a program that gives a file the capabilities CAP_KILL and CAP_NET_RAW as inheritable ones: struct vfs_cap_data of
 * <linux/capability.h>, revision 2, in its extended attribute. setcap(8) would do, where it is installed.
 */
export const inheritableFile = `
#include <stdint.h>
#include <sys/xattr.h>
int main(int argc, char **argv) {
	uint32_t data[5] = { 0x02000000, 0, 1u << 5 | 1u << 13, 0, 0 };
	return argc != 2 || setxattr(argv[1], "security.capability", data, sizeof data, 0) != 0;
}`;
