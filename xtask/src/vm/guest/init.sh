#!/bin/busybox sh
# The guest's first and only program: makes a system of an initial file system, runs the checks,
# switches itself off. Lines that begin with @ are for the command that booted it.
export PATH=/usr/sbin:/bin
/bin/busybox --install -s /bin
ln -s /bin/busybox /sbin/modprobe
ln -s portcullis /usr/sbin/portmap
ln -s portcullis /usr/sbin/firewall
# Not where iproute2 has a program of that name.
for plugin in bridge host-local; do ln -s /usr/sbin/portcullis /opt/cni/$plugin; done
unset plugin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mount -t tmpfs run /run
mount -t tmpfs tmp /tmp
# Nothing but our own lines between two lines of ours.
dmesg -n 1
echo
echo "@boot $(uname -sr)"

. /lib/house.sh
. /lib/without.sh
. /lib/with.sh
. /lib/traffic.sh
. /lib/firewall.sh
. /lib/bridge.sh

echo @end
poweroff -f
