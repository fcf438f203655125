package main

import (
	"fmt"
	"io"
	"strings"
)

// canvas is some lines at the bottom of a terminal that are drawn over again and again.
type canvas struct {
	w     io.Writer
	tty   bool // false: nothing may be drawn
	width int
	lines int // on the screen
}

func newCanvas(w io.Writer) canvas {
	tty, width := terminal(w)
	return canvas{w: w, tty: tty, width: width}
}

// draw replaces the drawing.
func (c *canvas) draw(lines []string) {
	var b strings.Builder
	b.WriteString(c.home())
	for _, line := range lines {
		if r := []rune(line); len(r) >= c.width {
			line = string(r[:c.width-1]) // a wrapped line would spoil the count of lines
		}
		b.WriteString(line + "\x1b[K\n")
	}
	b.WriteString("\x1b[J")
	c.lines = len(lines)
	io.WriteString(c.w, b.String())
}

// home moves the cursor to where the drawing begins.
func (c *canvas) home() string {
	if c.lines == 0 {
		return ""
	}
	return fmt.Sprintf("\r\x1b[%dA", c.lines)
}

// clear takes the drawing off the screen.
func (c *canvas) clear() {
	if c.lines > 0 {
		io.WriteString(c.w, c.home()+"\x1b[J")
		c.lines = 0
	}
}
