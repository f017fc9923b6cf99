/** <linux/netlink.h>, <linux/rtnetlink.h>, <linux/if_link.h>, <linux/if_addr.h>: the little of rtnetlink(7) that moving a device takes. */
export const NETLINK_ROUTE = 0;
export const NLM_F_REQUEST = 1;
export const NLM_F_ACK = 4;
export const NLM_F_CREATE = 0x400;
export const NLM_F_REPLACE = 0x100;
export const RTM_NEWLINK = 16;
export const RTM_NEWADDR = 20;
export const IFLA_IFNAME = 3;
export const IFLA_NET_NS_FD = 28;
export const IFLA_NEW_IFINDEX = 49;
export const IFA_ADDRESS = 1;
export const IFA_LOCAL = 2;
export const AF_INET6 = 10;
