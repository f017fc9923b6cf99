"""Runs a command on a terminal of its own: on-terminal.py ROWS COLUMNS STEPS COMMAND...

STEPS is JSON: a list of [wait for this text, then type this]. A list of two numbers in place of the text to type is a new size.
Prints JSON: the output and the exit code.
"""
import fcntl, json, os, pty, select, struct, sys, termios, time

rows, columns, steps, command = int(sys.argv[1]), int(sys.argv[2]), json.loads(sys.argv[3]), sys.argv[4:]


def resize(rows, columns):
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack('HHHH', rows, columns, 0, 0))


pid, terminal = pty.fork()
if pid == 0:
    time.sleep(0.1)  # until the size is set
    os.execvp(command[0], command)
resize(rows, columns)
output, seen, deadline = b'', 0, time.time() + 20
while True:
    while steps and output.find(steps[0][0].encode(), seen) >= 0:
        awaited, act = steps.pop(0)
        seen = output.find(awaited.encode(), seen) + len(awaited)
        if isinstance(act, list):
            resize(*act)
        else:
            os.write(terminal, act.encode())
    ready, _, _ = select.select([terminal], [], [], max(0, deadline - time.time()))
    try:
        piece = os.read(terminal, 4096) if ready else b''
    except OSError:
        piece = b''
    if not piece:
        break
    output += piece
if time.time() >= deadline:
    os.kill(pid, 9)
_, status = os.waitpid(pid, 0)
print(json.dumps({'output': output.decode(), 'code': os.waitstatus_to_exitcode(status), 'left': len(steps)}))
