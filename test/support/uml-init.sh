#!/bin/bash
# The first process of a user-mode Linux for tests (uml.ts). The root is the machine's own, read-only; what is
# written lands in memory, or in the folder that the test shares with us. A line on the serial port is the number of
# a script there; its output is written beside it.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/run TERM=dumb
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t tmpfs -o mode=755 tmpfs /run
mount -t tmpfs -o mode=755 tmpfs /mnt # for what labs must see, which have a /run of their own
mkdir -p /mnt/linnet /mnt/share /run/netns /run/modules/lib
mount --bind "$REPOSITORY" /mnt/linnet # it may lie where a tmpfs goes below
mount -t hostfs -o "$SHARE" none /mnt/share
mount -t tmpfs -o mode=1777 tmpfs /tmp
mount -t tmpfs tmpfs /var
# Debian keeps these modules where modprobe does not look; the kernel asks for them through a program of ours.
ln -s /usr/lib/uml/modules /run/modules/lib/modules
printf '#!/bin/sh\nexec modprobe -d /run/modules "$@"\n' >/run/modprobe
chmod +x /run/modprobe
echo /run/modprobe >/proc/sys/kernel/modprobe
ip link set lo up
cd /mnt/linnet || exit
exec <>/dev/ttyS0 1>&0
stty raw -echo
echo READY
while read -r number; do
  bash "/mnt/share/$number.sh" </dev/null >"/mnt/share/$number.out" 2>&1
  echo "DONE $number $?"
done
