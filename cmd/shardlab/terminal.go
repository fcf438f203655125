package main

import (
	"io"
	"os"

	"golang.org/x/term"
)

// terminal reports whether w is a terminal, and how wide; 100 columns where it is not.
func terminal(w io.Writer) (bool, int) {
	const elsewhere = 100
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return false, elsewhere
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil || width < 20 {
		return true, elsewhere
	}
	return true, width
}
