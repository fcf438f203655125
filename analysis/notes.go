package analysis

import (
	"fmt"
	"slices"
	"strings"
)

// notes collects footnotes. A text that occurs again keeps its number and gains the new row among those it concerns.
type notes struct {
	texts []string
	about [][]string
}

// add returns the number of the note, from 1. who is the row it concerns, "" for all.
func (n *notes) add(text, who string) int {
	i := slices.Index(n.texts, text)
	if i < 0 {
		i = len(n.texts)
		n.texts = append(n.texts, text)
		n.about = append(n.about, nil)
	}
	if who != "" && !slices.Contains(n.about[i], who) {
		n.about[i] = append(n.about[i], who)
	}
	return i + 1
}

// write prints the notes, wrapped and indented below their numbers.
func (n *notes) write(b *strings.Builder, width int) {
	for i, text := range n.texts {
		if len(n.about[i]) > 0 {
			text += " — " + strings.Join(n.about[i], "; ")
		}
		lead := fmt.Sprintf("%3s ", superscript(i+1))
		for _, line := range wrap(text, max(20, width-4)) {
			b.WriteString(lead + line + "\n")
			lead = "    "
		}
	}
}

// marks is the footnote numbers of one cell, in ascending order and each once.
type marks []int

func (m marks) String() string {
	s := slices.Clone(m)
	slices.Sort(s)
	s = slices.Compact(s)
	parts := make([]string, len(s))
	for i, n := range s {
		parts[i] = superscript(n)
	}
	return strings.Join(parts, ",") // keeps 1, 2 and 12 apart
}

func superscript(n int) string {
	digits := []rune("⁰¹²³⁴⁵⁶⁷⁸⁹")
	var b strings.Builder
	for _, c := range fmt.Sprint(n) {
		b.WriteRune(digits[c-'0'])
	}
	return b.String()
}
