"""One router a slice. A handler parses, calls one service and answers."""
