#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

# Make an archive of the daemons into which libvirt may be split, for hosts with a release of Debian, whose packages leave them out:
#   split-daemons.sh RELEASE ARCHIVE
# They are compiled from the source of the same package, and linked with the libraries that the release has: the drivers are the
# host's own. It takes two minutes of processor time. `tar -C / -x` puts them on a host.

set -euo pipefail

release=$1 archive=$2
here=$(cd "$(dirname "$0")" && pwd)
mirror=$(cd "$here" && python3 -c 'from kvmops_lab import apt_sources; print(apt_sources.machine_mirror())')
needs=build-essential,gettext,libacl1-dev,libapparmor-dev,libattr1-dev,libaudit-dev,libblkid-dev,libcap-ng-dev,libglib2.0-dev
needs+=,libgnutls28-dev,libjson-c-dev,libnl-3-dev,libnl-route-3-dev,libnuma-dev,libpciaccess-dev,libsasl2-dev,libselinux1-dev
needs+=,libtirpc-dev,libudev-dev,libvirt0,libxml2-dev,libxml2-utils,meson,ninja-build,pkgconf,python3-docutils,xsltproc,systemd-dev

work=$(mktemp -d --tmpdir kvmops-split-XXXXXX)
trap 'rm -rf --one-file-system "$work"' EXIT

cat >"$work/build" <<'BUILD'
set -euo pipefail
cd /srv
apt-get --quiet=2 update
# only the archives: a mirror may lack the signatures
apt-get source --print-uris libvirt | awk '$2 ~ /\.tar\.xz$/ { print $2 }' >wanted
apt-get --quiet=2 source --download-only libvirt 2>errors || true
while read -r file; do [[ -s $file ]] || { cat errors >&2 && exit 1; }; done <wanted
tar xf libvirt_*.orig.tar.xz
cd libvirt-*/
tar xf ../libvirt_*.debian.tar.xz
grep -v '^#' debian/patches/series | while read -r change; do patch --silent -p1 <"debian/patches/$change"; done
meson setup build --buildtype=plain -Dc_args=-O1 --auto-features=disabled --prefix=/usr --libdir="lib/$(gcc -print-multiarch)" \
    --sysconfdir=/etc --localstatedir=/var --libexecdir=/usr/lib/libvirt -Drunstatedir=/run -Dinitconfdir=/etc/default \
    -Dunitdir=/usr/lib/systemd/system -Dinit_script=systemd -Dsasl=enabled -Dpolkit=enabled -Ddriver_remote=enabled \
    -Ddriver_libvirtd=enabled -Ddriver_qemu=enabled -Ddriver_network=enabled -Ddriver_secrets=enabled -Dstorage_dir=enabled \
    -Dstorage_fs=enabled -Dudev=enabled -Dpciaccess=enabled -Dcapng=enabled -Dlibnl=enabled -Djson_c=enabled -Dattr=enabled \
    -Dblkid=enabled -Daudit=enabled -Dapparmor=enabled -Dsecdriver_apparmor=enabled -Dselinux=enabled \
    -Dsecdriver_selinux=enabled -Dnumactl=enabled -Ddocs=disabled -Dtests=disabled >configured || { cat configured >&2 && exit 1; }
cd build
daemons='proxyd networkd nodedevd nwfilterd secretd storaged qemud'
mkdir -p /srv/out/usr/sbin /srv/out/usr/lib/systemd/system
mapfile -t objects < <(ninja -t targets all | grep -oE "^src/virt(${daemons// /|})\.p/[^:]*\.o")
ninja --quiet src/admin/libvirt_admin_driver.a "${objects[@]}"
for daemon in $daemons; do
    gcc -pie -o "/srv/out/usr/sbin/virt$daemon" "src/virt$daemon".p/*.o -Wl,--as-needed -Wl,-export-dynamic \
        src/admin/libvirt_admin_driver.a -l:libvirt.so.0 -l:libvirt-lxc.so.0 -l:libvirt-qemu.so.0 \
        $(pkg-config --libs gnutls libnl-3.0 libnl-route-3.0 gio-2.0 libxml-2.0 libsasl2 libtirpc)
    cp "src/virt$daemon".{service,socket} "src/virt$daemon"-{ro,admin}.socket /srv/out/usr/lib/systemd/system/
done
BUILD

# shellcheck disable=SC2016 # mmdebstrap's own $1
hooks=(--customize-hook='chroot "$1" bash /srv/build')
mmdebstrap --quiet --variant=minbase --aptopt='Acquire::Check-Valid-Until "false"' --include="$needs" \
    --customize-hook="copy-in $work/build /srv" "${hooks[@]}" \
    --customize-hook="sync-out /srv/out $work/out" "$release" /dev/null "deb $mirror $release main" "deb-src $mirror $release main"
tar --create --file "$archive" --directory "$work/out" --owner=root --group=root usr
