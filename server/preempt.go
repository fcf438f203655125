package server

import (
	"os"
	"strings"
)

// preemptible reports whether the Go runtime interrupts a thread that it wants to stop. With asynchronous preemption
// turned off it could not stop one that holds in the kernel.
func preemptible() bool { return !strings.Contains(os.Getenv("GODEBUG"), "asyncpreemptoff=1") }
