/**
 * The types of images that clients of the firmware upgrader know, in its order: a line each, with the type, its label and the boards it is
 * for, and behind them `since 1.3` where 1.2 has it not, and `bare` where its reverse look-up misses the board.
 */
export const IMAGE_TYPE_TABLE = `
ar71xx-generic-cf-e320n-v2-squashfs-sysupgrade.bin | COMFAST CF-E320N v2 (OpenWrt 19.07 and earlier) | COMFAST CF-E320N v2
ath79-generic-comfast_cf-e375ac-squashfs-sysupgrade.bin | COMFAST CF-E375AC | COMFAST CF-E375AC
dongwon_dw02-412h-128m-squashfs-sysupgrade.bin | Dongwon T&I DW02-412H (128M) / KT GiGA WiFi home (128M) | DW02-412H-128M-NAND
ipq807x-generic-edgecore_eap102-squashfs-sysupgrade.bin | Edgecore EAP102 | Edgecore EAP102
ipq40xx-generic-engenius_eap1300-squashfs-sysupgrade.bin | EnGenius EAP1300 | EnGenius EAP1300
realtek-rtl838x-engenius_ews2910p-squashfs-sysupgrade.bin | EnGenius EWS2910P | EnGenius EWS2910P | since 1.3
mpc85xx-p1020-extreme-networks_ws-ap3825i-squashfs-sysupgrade.bin | Extreme Networks WS-AP3825i | Extreme Networks WS-AP3825i | since 1.3
ath79-nand-glinet_gl-ar300m-nand-squashfs-sysupgrade.bin | GL.iNet GL-AR300M (NAND) | GL.iNet GL-AR300M (NAND)
ramips-mt76x8-gl-mt300n-v2-squashfs-sysupgrade.bin | GL.iNet GL-MT300N-V2 | GL-MT300N-V2
ipq40xx-chromium-google_wifi-squashfs-sysupgrade.bin | Google WiFi (Gale) | Google WiFi (Gale) | since 1.3
mvebu-cortexa9-linksys_wrt1900acs-squashfs-sysupgrade.img | Linksys WRT1900ACS | Linksys WRT1900ACS
mvebu-cortexa9-linksys_wrt3200acm-squashfs-sysupgrade.img | Linksys WRT3200ACM | Linksys WRT3200ACM
ipq40xx-mikrotik-mikrotik_wap-ac-squashfs-sysupgrade.bin | MikroTik wAP ac | MikroTik wAP ac
ramips-mt7621-mikrotik_routerboard-m33g-squashfs-sysupgrade.bin | MikroTik RouterBOARD M33G | MikroTik RouterBOARD M33G
mediatek-filogic-netgear_wax220-squashfs-sysupgrade.bin | Netgear WAX220 | Netgear WAX220 | since 1.3
ath79-generic-netgear_wndap360-squashfs-sysupgrade.bin | Netgear WNDAP360 | Netgear WNDAP360
brcm2708-bcm2709-rpi-2-ext4-sysupgrade.img.gz | Raspberry Pi 2 Model B | Raspberry Pi 2 Model B Rev 1.0; Raspberry Pi 2 Model B Rev 1.1; Raspberry Pi 2 Model B Rev 1.2
brcm2708-bcm2710-rpi-3-ext4-sysupgrade.img.gz | Raspberry Pi 3 Model B | Raspberry Pi 3 Model B Rev 1.2
ramips-mt7621-tplink_archer-ax23-v1-squashfs-sysupgrade.bin | TP-Link Archer AX23 v1 | TP-Link Archer AX23 v1
ar71xx-generic-archer-c7-v1-squashfs-sysupgrade.bin | TP-Link Archer C7 v1 (OpenWrt 19.07 and earlier) | tplink,archer-c7-v1
ath79-generic-tplink_archer-c7-v1-squashfs-sysupgrade.bin | TP-Link Archer C7 v1 (OpenWrt 19.07 and later) | tplink,archer-c7-v1
ar71xx-generic-archer-c7-v2-squashfs-sysupgrade.bin | TP-Link Archer C7 v2 (OpenWrt 19.07 and earlier) | TP-Link Archer C7 v2; TP-Link Archer C7 v3
ath79-generic-tplink_archer-c7-v2-squashfs-sysupgrade.bin | TP-Link Archer C7 v2 (OpenWrt 19.07 and later) | TP-Link Archer C7 v2; TP-Link Archer C7 v3
ar71xx-generic-archer-c7-v4-squashfs-sysupgrade.bin | TP-Link Archer C7 v4 (OpenWrt 19.07 and earlier) | TP-Link Archer C7 v4
ath79-generic-tplink_archer-c7-v4-squashfs-sysupgrade.bin | TP-Link Archer C7 v4 (OpenWrt 19.07 and later) | TP-Link Archer C7 v4
ar71xx-generic-archer-c7-v5-squashfs-sysupgrade.bin | TP-Link Archer C7 v5 (OpenWrt 19.07 and earlier) | TP-Link Archer C7 v5
ath79-generic-tplink_archer-c7-v5-squashfs-sysupgrade.bin | TP-Link Archer C7 v5 (OpenWrt 19.07 and later) | TP-Link Archer C7 v5
ramips-mt76x8-tplink_archer-c50-v4-squashfs-sysupgrade.bin | TP-Link Archer C50 v4 | TP-Link Archer C50 v4
ar71xx-generic-cpe210-220-v1-squashfs-sysupgrade.bin | TP-Link CPE210 v1 (OpenWrt 19.07 and earlier) | TP-Link CPE210 v1; TP-LINK CPE220 v1
ath79-generic-tplink_cpe210-v2-squashfs-sysupgrade.bin | TP-Link CPE210 v2 | TP-Link CPE210 v2
ath79-generic-tplink_cpe210-v3-squashfs-sysupgrade.bin | TP-Link CPE210 v3 | TP-Link CPE210 v3
ath79-generic-tplink_cpe510-v3-squashfs-sysupgrade.bin | TP-Link CPE510 v3 | TP-Link CPE510 v3
ath79-generic-tplink_eap225-outdoor-v3-squashfs-sysupgrade.bin | TP-Link EAP225-Outdoor v3 | TP-Link EAP225-Outdoor v3
ath79-generic-tplink_tl-mr6400-v1-squashfs-sysupgrade.bin | TP-Link TL-MR6400 v1 | TP-Link TL-MR6400 v1 | since 1.3
ramips-mt76x8-tplink_tl-mr6400-v4-squashfs-sysupgrade.bin | TP-Link TL-MR6400 v4 | TP-Link TL-MR6400 v4 | since 1.3
ramips-mt76x8-tplink_tl-mr6400-v5-squashfs-sysupgrade.bin | TP-Link TL-MR6400 v5 | TP-Link TL-MR6400 v5 | since 1.3
ramips-mt76x8-tplink_tl-mr6400-v7-squashfs-sysupgrade.bin | TP-Link TL-MR6400 v7 | TP-Link TL-MR6400 v7 | since 1.3
ar71xx-generic-tl-wdr3600-v1-squashfs-sysupgrade.bin | TP-Link WDR3600 v1 (OpenWrt 19.07 and earlier) | TP-Link TL-WDR3600 v1
ath79-generic-tplink_tl-wdr3600-v1-squashfs-sysupgrade.bin | TP-Link WDR3600 v1 (OpenWrt 19.07 and later) | TP-Link TL-WDR3600 v1
ar71xx-generic-tl-wdr4300-v1-squashfs-sysupgrade.bin | TP-Link WDR4300 v1 (OpenWrt 19.07 and earlier) | TP-Link TL-WDR4300 v1
ath79-generic-tplink_tl-wdr4300-v1-squashfs-sysupgrade.bin | TP-Link WDR4300 v1 (OpenWrt 19.07 and later) | TP-Link TL-WDR4300 v1
ar71xx-generic-tl-wdr4300-v1-il-squashfs-sysupgrade.bin | TP-Link WDR4300 v1 Israel Version (OpenWrt 19.07 and earlier) | TP-LINK TL-WDR4300 v1 (IL)
ath79-generic-tplink_tl-wdr4300-v1-il-squashfs-sysupgrade.bin | TP-Link WDR4300 v1 Israel Version (OpenWrt 19.07 and later) | TP-LINK TL-WDR4300 v1 (IL)
ar71xx-generic-tl-wr2543-v1-squashfs-sysupgrade.bin | TP-Link WR2543N/ND (OpenWrt 19.07 and earlier) | TP-Link TL-WR2543N/ND
ath79-generic-tplink_tl-wr2543-v1-squashfs-sysupgrade.bin | TP-Link WR2543N/ND (OpenWrt 19.07 and later) | TP-Link TL-WR2543N/ND
ramips-mt76x8-tplink_tl-wr902ac-v3-squashfs-sysupgrade.bin | TP-Link TL-WR902AC v3 | TP-Link TL-WR902AC v3
ar71xx-generic-ubnt-airrouter-squashfs-sysupgrade.bin | Ubiquiti AirRouter (OpenWrt 19.07 and earlier) | Ubiquiti AirRouter
ath79-generic-ubnt_airrouter-squashfs-sysupgrade.bin | Ubiquiti AirRouter (OpenWrt 19.07 and later) | Ubiquiti AirRouter
octeon-generic-ubnt_edgerouter-lite-squashfs-sysupgrade.tar | Ubiquiti EdgeRouter Lite | Ubiquiti EdgeRouter Lite
ar71xx-generic-ubnt-loco-m-xw-squashfs-sysupgrade.bin | Ubiquiti Nanostation Loco M2 - XW (OpenWrt 19.07 and earlier) | Ubiquiti Loco XW
ath79-generic-ubnt_nanostation-loco-m-squashfs-sysupgrade.bin | Ubiquiti Nanostation Loco M (OpenWrt 19.07 and later) | Ubiquiti Nanostation Loco M
ath79-tiny-ubnt_nanostation-loco-m-squashfs-sysupgrade.bin | Ubiquiti Nanostation Loco M (OpenWrt, ath79-tiny) | Ubiquiti Nanostation Loco M (XM)
ath79-generic-ubnt_nanostation-loco-m-xw-squashfs-sysupgrade.bin | Ubiquiti Nanostation Loco M - XW (OpenWrt 19.07 and later) | Ubiquiti Nanostation Loco M (XW)
ar71xx-generic-ubnt-nano-m-xw-squashfs-sysupgrade.bin | Ubiquiti Nanostation M - XW (OpenWrt 19.07 and earlier) | Ubiquiti Nano M XW
ar71xx-generic-ubnt-nano-m-squashfs-sysupgrade.bin | Ubiquiti Nanostation M (OpenWrt 19.07 and earlier) | Ubiquiti Nano-M; Ubiquiti NanoStation M2; Ubiquiti NanoStation M5; Ubiquiti NanoStation loco M2; Ubiquiti NanoStation loco M5
ath79-generic-ubnt_nanostation-m-xw-squashfs-sysupgrade.bin | Ubiquiti Nanostation M - XW (OpenWrt 19.07 and later) | Ubiquiti Nanostation M (XW); Ubiquiti Nanostation M XW
ath79-generic-ubnt_nanostation-m-squashfs-sysupgrade.bin | Ubiquiti Nanostation M (OpenWrt 19.07 and later) | Ubiquiti Nanostation M
ath79-tiny-ubnt_nanostation-m-squashfs-sysupgrade.bin | Ubiquiti Nanostation M (OpenWrt ath79-tiny) | Ubiquiti Nanostation M (XM)
ar71xx-generic-ubnt-bullet-m-xw-squashfs-sysupgrade.bin | Ubiquiti Picostation Bullet XW (OpenWrt 19.07 and earlier) | Ubiquiti Bullet-M XW
ar71xx-generic-ubnt-bullet-m-squashfs-sysupgrade.bin | Ubiquiti Picostation M2HP & Bullet (OpenWrt 19.07 and earlier) | Ubiquiti Bullet-M; Ubiquiti PicoStation M2; Ubiquiti PicoStation M2HP
ath79-generic-ubnt_picostation-m-squashfs-sysupgrade.bin | Ubiquiti Picostation M (OpenWrt 19.07 and later) | Ubiquiti Picostation M
ath79-tiny-ubnt_picostation-m-squashfs-sysupgrade.bin | Ubiquiti Picostation M (OpenWrt, ath79-tiny) | Picostation M (XM)
mediatek-filogic-ubnt_unifi-6-plus-squashfs-sysupgrade.bin | Ubiquiti UniFi 6 Plus | Ubiquiti UniFi 6 Plus | since 1.3 | bare
ramips-mt7621-ubnt_unifi-6-lite-squashfs-sysupgrade.bin | Ubiquiti UniFi 6 Lite | Ubiquiti UniFi 6 Lite | since 1.3 | bare
mediatek-mt7622-ubnt_unifi-6-lr-v1-squashfs-sysupgrade.bin | Ubiquiti Unifi 6 LR v1 | Ubiquiti UniFi 6 LR v1 | since 1.3 | bare
mediatek-mt7622-ubnt_unifi-6-lr-v2-squashfs-sysupgrade.bin | Ubiquiti Unifi 6 LR v2 | Ubiquiti UniFi 6 LR v2 | since 1.3 | bare
mediatek-mt7622-ubnt_unifi-6-lr-v3-squashfs-sysupgrade.bin | Ubiquiti Unifi 6 LR v3 | Ubiquiti UniFi 6 LR v3 | since 1.3 | bare
ath79-generic-ubnt_unifi-ap-squashfs-sysupgrade.bin | Ubiquiti UniFi AP (OpenWRT 19.07 and later) | Ubiquiti UniFi; Ubiquiti UniFi AP
ath79-generic-ubnt_unifi-ap-lr-squashfs-sysupgrade.bin | Ubiquiti UniFi AP-LR | Ubiquiti UniFi; Ubiquiti UniFi AP LR | since 1.3
ath79-generic-ubnt_unifiac-lr-squashfs-sysupgrade.bin | Ubiquiti UniFi AC-LR (OpenWrt 19.07 and later) | Ubiquiti UniFi AC LR
ar71xx-generic-ubnt-unifiac-mesh-squashfs-sysupgrade.bin | Ubiquiti Unifi AC Mesh (OpenWrt 19.07 and earlier) | Ubiquiti UniFi AC-Mesh; Ubiquiti UniFi-AC-MESH; Ubiquiti UniFi-AC-LITE/MESH
ath79-generic-ubnt_unifiac-mesh-squashfs-sysupgrade.bin | Ubiquiti Unifi AC Mesh (OpenWrt 19.07 and later) | Ubiquiti UniFi AC Mesh; Ubiquiti UniFi AC-Mesh; Ubiquiti UniFi-AC-MESH; Ubiquiti UniFi-AC-LITE/MESH
ar71xx-generic-ubnt-unifiac-mesh-pro-squashfs-sysupgrade.bin | Ubiquiti Unifi AC Mesh-Pro (OpenWrt 19.07 and earlier) | Ubiquiti UniFi AC-Mesh-Pro
ath79-generic-ubnt_unifiac-mesh-pro-squashfs-sysupgrade.bin | Ubiquiti Unifi AC Mesh-Pro (OpenWrt 19.07 and later) | Ubiquiti UniFi AC-Mesh Pro
ath79-generic-ubnt_unifiac-pro-squashfs-sysupgrade.bin | Ubiquiti UniFi AC Pro (OpenWrt 19.07 and later) | Ubiquiti UniFi AC Pro; Ubiquiti UniFi-AC-PRO
ath79-generic-ubnt_unifi-ap-pro-squashfs-sysupgrade.bin | Ubiquiti UniFi AP Pro (OpenWrt 19.07 and later) | Ubiquiti UniFi AP Pro
ar71xx-generic-ubnt-uap-pro-squashfs-sysupgrade.bin | Ubiquiti UniFi AP Pro (OpenWrt 19.07 and earlier) | Ubiquiti UAP Pro
ramips-mt7621-yuncore_ax820-squashfs-sysupgrade.bin | YunCore AX820 | YunCore AX820
ramips-mt76x8-yuncore_cpe200-squashfs-sysupgrade.bin | YunCore CPE200 | Yuncore CPE200
ramips-mt7621-yuncore_g720-squashfs-sysupgrade.bin | YunCore G720 | YunCore G720
ramips-mt76x8-yuncore_m300-squashfs-sysupgrade.bin | YunCore M300 | Yuncore M300
ar71xx-generic-xd3200-squashfs-sysupgrade.bin | YunCore XD3200 (OpenWrt 19.07 and earlier) | YunCore XD3200
ramips-mt7620-zbtlink_zbt-we1026-5g-16m-squashfs-sysupgrade.bin | Zbtlink ZBT-WE1026-5G (16M) | Zbtlink ZBT-WE1026-5G (16M)
ramips-mt7620-zbtlink_zbt-we826-16m-squashfs-sysupgrade.bin | Zbtlink ZBT-WE826 (16M) | Zbtlink ZBT-WE826 (16M)
ramips-mt7620-zbtlink_zbt-we826-32m-squashfs-sysupgrade.bin | Zbtlink ZBT-WE826 (32M) | Zbtlink ZBT-WE826 (32M)
ramips-mt7621-zbt-wg3526-16M-squashfs-sysupgrade.bin | Zbtlink ZBT-WG3526 (16M) | ZBT-WG3526 (16M); Zbtlink ZBT-WG3526 (16M)
ramips-mt7621-zbt-wg3526-32M-squashfs-sysupgrade.bin | Zbtlink ZBT-WG3526 (32M) | ZBT-WG3526 (32M); Zbtlink ZBT-WG3526 (32M)
x86-64-generic-squashfs-combined-efi.img.gz | Generic x86/64 (UEFI) | x86_64_efi
x86-64-generic-squashfs-combined.img.gz | Generic x86/64 (BIOS) | x86_64; PC Engines APU2; PC Engines apu2; PC Engines apu6
x86-64-combined-squashfs.img.gz | VMware, Inc. VMware Virtual Platform | VMware, Inc. VMware Virtual Platform
x86-generic-generic-squashfs-combined.img.gz | Generic x86/32 bit | x86
x86-geode-generic-squashfs-combined.img.gz | x86 Geode(TM) Integrated Processor by AMD | Geode(TM) Integrated Processor by AMD PCS; Alix 2D2
`;
