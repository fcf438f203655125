package results

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

// Key is a short hash of what decides whether times may be compared at all: processor model, number of processors,
// affinity, kernel major.minor, Go version, GOAMD64, GOMAXPROCS and hypervisor. Runs with different keys were not made
// in comparable places; equal keys promise no more than that.
func (e Environment) Key() string {
	// Every part is named and quoted, so that no two environments spell the same text.
	return shortHash(fmt.Sprintf("cpu=%q vcpus=%d affinity=%q kernel=%q go=%q goamd64=%q gomaxprocs=%d hypervisor=%q",
		e.CPU.Model, e.CPU.VCPUs, e.CPU.Affinity, majorMinor(e.Kernel.Release), e.Go.Version, e.Go.GOAMD64,
		e.Go.GOMAXPROCS, e.CPU.Hypervisor))
}

// Describe is one line for a plot's caption: "AMD EPYC, 2 vCPU, KVM, Linux 6.18, go1.26.8". Unknown parts are left
// out.
func (e Environment) Describe() string {
	var parts []string
	if model := plainModel(e.CPU.Model); model != "" {
		parts = append(parts, model)
	}
	if e.CPU.VCPUs > 0 {
		unit := "CPU"
		if e.CPU.Hypervisor != "" {
			unit = "vCPU"
		}
		parts = append(parts, fmt.Sprintf("%d %s", e.CPU.VCPUs, unit))
	}
	switch e.CPU.Hypervisor {
	case "":
	case "unknown":
		parts = append(parts, "virtual")
	default:
		parts = append(parts, e.CPU.Hypervisor)
	}
	if v := majorMinor(e.Kernel.Release); v != "" {
		parts = append(parts, "Linux "+v)
	}
	if e.Go.Version != "" {
		parts = append(parts, e.Go.Version)
	}
	return strings.Join(parts, ", ")
}

// plainModel drops what a caption has no room for: trade marks and repeated spaces.
func plainModel(model string) string {
	model = strings.NewReplacer("(R)", "", "(TM)", "", "(r)", "", "(tm)", "").Replace(model)
	return strings.Join(strings.Fields(model), " ")
}

// majorMinor is "6.18" of "6.18.44-generic".
func majorMinor(release string) string {
	parts := strings.SplitN(release, ".", 3)
	if len(parts) < 2 {
		return release
	}
	minor := parts[1]
	if i := strings.IndexFunc(minor, func(r rune) bool { return r < '0' || r > '9' }); i >= 0 {
		minor = minor[:i]
	}
	return parts[0] + "." + minor
}

// shortHash is 48 bits of SHA-256 in hex: enough to tell machines apart, short enough to read aloud.
func shortHash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:6])
}
