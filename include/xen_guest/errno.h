/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * The error numbers of this library.
 *
 * Every fallible call returns a negative one of these. They are Xen's own
 * numbers (xen/errno.h), which are also Linux's: the result of a hypercall is
 * passed on unchanged. A C library may number them differently (newlib and
 * Zephyr do above 34), so compare with these names, not with <errno.h>'s.
 */
#ifndef XEN_GUEST_ERRNO_H
#define XEN_GUEST_ERRNO_H

#define XG_EPERM      1	 /* not allowed by Xen's security policy */
#define XG_ENOENT     2	 /* no such vCPU, or no page at that frame */
#define XG_ESRCH      3	 /* no such domain */
#define XG_EIO	      5	 /* done in part; the object says what is left */
#define XG_E2BIG      7	 /* more than the domain may have */
#define XG_EAGAIN     11 /* try again: the other side is not ready yet */
#define XG_ENOMEM     12 /* the platform or Xen is out of memory */
#define XG_EACCES     13 /* the frame is not of the kind asked for */
#define XG_EFAULT     14 /* an address that Xen or the platform can't use */
#define XG_EBUSY      16 /* in use, and left as it was */
#define XG_EEXIST     17 /* already there */
#define XG_EINVAL     22 /* an argument out of range, or in the wrong state */
#define XG_ENOSPC     28 /* a table is full */
#define XG_ERANGE     34 /* a number that the ABI has no room for */
#define XG_ENOSYS     38 /* this Xen does not have the operation */
#define XG_EOPNOTSUPP 95 /* not in this configuration */

#endif
