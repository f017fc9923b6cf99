/** Tells of its start and its signals, and counts in /tmp/count while it runs. SIGTERM ends it with 3. */
export const talker = `
  trap 'echo usr1' USR1
  trap 'echo bye; exit 3' TERM
  echo started
  i=0
  while :; do i=$((i+1)); echo $i >/tmp/new; mv /tmp/new /tmp/count; sleep 0.02; done`;

/** Waits for the size of the terminal, which engines set when the process has started. */
export const untilSized = 'until [ "$(stty size 2>&1)" = "30 100" ]; do sleep 0.02; done';
