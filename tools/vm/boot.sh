# The guest's first program in the host's root. Runs /run/vm/command with the clone as its folder; what it prints goes to the second
# serial port as it is, its exit code to the third. Then everything is killed and the power goes off.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 TERM=dumb
busybox=/run/vm/busybox

exec 3>/dev/ttyS1
$busybox stty -F /dev/ttyS1 raw
cd "$($busybox cat /run/vm/folder)"
/bin/sh /run/vm/command </dev/null >&3 2>&1 3>&-
code=$?
# Closing waits until all is sent, but only the last one who has it open does close.
$busybox kill -9 -1
exec 3>&-
echo "$code" >/dev/ttyS2
$busybox poweroff -f
