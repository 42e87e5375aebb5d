/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Xen's ABI, xen-compat.h: which interface version the includer asks for. */

#ifndef __XEN_PUBLIC_XEN_COMPAT_H__
#define __XEN_PUBLIC_XEN_COMPAT_H__

/** Newest interface version these headers describe. */
#define __XEN_LATEST_INTERFACE_VERSION__ 0x00040e00

/*
 * Xen's own headers fall back to a layout from before version 3.1 here, which
 * nobody wants by accident; asking for a version keeps both sets of headers
 * in agreement.
 */
#ifndef __XEN_INTERFACE_VERSION__
#error "Define __XEN_INTERFACE_VERSION__, for example as 0x00040e00."
#elif __XEN_INTERFACE_VERSION__ < 0x00040700
#error "These headers describe interface version 0x00040700 and later."
#elif __XEN_INTERFACE_VERSION__ > __XEN_LATEST_INTERFACE_VERSION__
#error "These headers do not know the requested interface version."
#endif

#endif /* __XEN_PUBLIC_XEN_COMPAT_H__ */
