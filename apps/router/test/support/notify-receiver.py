# What a supervisor's end of sd_notify(3) is: `notify-receiver.py ADDRESS` prints every datagram as one line, "|" for line ends.
import socket
import sys

address = sys.argv[1]
receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
receiver.bind("\0" + address[1:] if address.startswith("@") else address)
print("listening", flush=True)
while True:
    message = receiver.recv(4096).decode().replace("\n", "|")
    if message != "BARRIER=1":  # systemd-notify's own: it waits until everything was read
        print(message, flush=True)
