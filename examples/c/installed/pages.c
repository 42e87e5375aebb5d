/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include <xen_guest/guest.h>

int main(void)
{
	static _Alignas(8) uint8_t metadata[XG_REGION_METADATA(1024)];
	const struct xg_window frames = {(void *)0x80000000, 0x80000, 1024};
	static struct xg_region region;

	if (xg_region_init(&region, &frames, metadata, sizeof(metadata)))
		return 1;
	/* Three pages, the first of all; and everything is consistent. */
	return xg_region_take(&region, 3) || xg_region_verify(&region);
}
