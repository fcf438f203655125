package scenarios

import (
	"fmt"
	"strconv"
	"strings"
)

// MaxCPU is the highest processor number that a CPU list may name: what the kernel's fixed-size affinity mask holds.
const MaxCPU = 1023

// ParseCPUs reads a CPU list as the kernel writes it, "0-3,8", into ascending distinct numbers. An empty list is an
// error.
func ParseCPUs(text string) ([]int, error) {
	var in [MaxCPU + 1]bool
	for part := range strings.SplitSeq(text, ",") {
		first, last, isRange := strings.Cut(part, "-")
		if !isRange {
			last = first
		}
		lo, okLo := cpuNumber(first)
		hi, okHi := cpuNumber(last)
		if !okLo || !okHi {
			return nil, fmt.Errorf("%s is not a CPU list; write numbers up to %d and ranges of them, as in 0-3,8",
				quote(text), MaxCPU)
		}
		if lo > hi {
			return nil, fmt.Errorf("%s is not a CPU list: the range %s runs backwards", quote(text), part)
		}
		for c := lo; c <= hi; c++ {
			in[c] = true
		}
	}
	var cpus []int
	for c, ok := range in {
		if ok {
			cpus = append(cpus, c)
		}
	}
	return cpus, nil
}

func cpuNumber(text string) (int, bool) {
	n, err := strconv.ParseUint(text, 10, 16)
	return int(n), err == nil && n <= MaxCPU
}

// FormatCPUs writes ascending distinct numbers as a CPU list: what ParseCPUs reads, in its shortest form.
func FormatCPUs(cpus []int) string {
	var b strings.Builder
	for i := 0; i < len(cpus); {
		j := i
		for j+1 < len(cpus) && cpus[j+1] == cpus[j]+1 {
			j++
		}
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.Itoa(cpus[i]))
		if j > i {
			b.WriteByte('-')
			b.WriteString(strconv.Itoa(cpus[j]))
		}
		i = j + 1
	}
	return b.String()
}
