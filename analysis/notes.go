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
			text += " — " + byPoint(n.about[i])
		}
		lead := fmt.Sprintf("%3s ", superscript(i+1))
		for _, line := range wrap(text, max(20, width-4)) {
			b.WriteString(lead + line + "\n")
			lead = "    "
		}
	}
}

// byPoint joins rows, naming the point that several in a row are of only once: "pipeline=1: shared, redis; pipeline=16: redis".
func byPoint(rows []string) string {
	var b strings.Builder
	last := ""
	for i, row := range rows {
		point, arm, _ := strings.Cut(row, " ")
		if !strings.Contains(point, "=") || arm == "" {
			point, arm = "", row
		}
		switch {
		case point != "" && point == last:
			b.WriteString(", " + arm)
		case i > 0:
			b.WriteString("; ")
			fallthrough
		default:
			if point != "" {
				b.WriteString(point + ": ")
			}
			b.WriteString(arm)
		}
		last = point
	}
	return b.String()
}

// marks is the footnote numbers of one cell, in ascending order and each once.
type marks []int

func (m marks) String() string {
	s := slices.Clone(m)
	slices.Sort(s)
	s = slices.Compact(s)
	var parts []string
	for i := 0; i < len(s); {
		j := i
		for j+1 < len(s) && s[j+1] == s[j]+1 {
			j++
		}
		switch {
		case j-i >= 2: // three numbers or more
			parts = append(parts, superscript(s[i])+"⁻"+superscript(s[j]))
		case j > i:
			parts = append(parts, superscript(s[i]), superscript(s[j]))
		default:
			parts = append(parts, superscript(s[i]))
		}
		i = j + 1
	}
	return strings.Join(parts, ",") // keeps 1, 2 and 12 apart
}

// shared takes out what all of several have, and returns it.
func shared(all []marks) (common marks) {
	if len(all) < 2 {
		return nil
	}
	for _, n := range all[0] {
		if !slices.ContainsFunc(all[1:], func(m marks) bool { return !slices.Contains(m, n) }) && !slices.Contains(common, n) {
			common = append(common, n)
		}
	}
	for i := range all {
		all[i] = slices.DeleteFunc(all[i], func(n int) bool { return slices.Contains(common, n) })
	}
	return common
}

func superscript(n int) string {
	digits := []rune("⁰¹²³⁴⁵⁶⁷⁸⁹")
	var b strings.Builder
	for _, c := range fmt.Sprint(n) {
		b.WriteRune(digits[c-'0'])
	}
	return b.String()
}
