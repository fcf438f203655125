package loadgen

import (
	"fmt"
	"math"
	"strings"
)

// Op is the type of an operation.
type Op uint8

// The operations a workload is mixed of.
const (
	Get    Op = iota // GET key
	Set              // SET key value
	NumOps           // how many there are; sizes arrays indexed by Op
)

var opNames = [NumOps]string{"GET", "SET"}

func (o Op) String() string {
	if o < NumOps {
		return opNames[o]
	}
	return fmt.Sprintf("op %d", uint8(o))
}

// writes reports whether o writes whole values.
func (o Op) writes() bool { return o == Set }

// ParseOp returns the operation of that name, in any case.
func ParseOp(name string) (Op, error) {
	for i, n := range opNames {
		if strings.EqualFold(n, name) {
			return Op(i), nil
		}
	}
	return 0, fmt.Errorf("unknown operation %q; have %s", name, strings.Join(opNames[:], ", "))
}

// OpShare is one part of a mix. Shares are relative: 9 to 1 is the same as 0.9 to 0.1.
type OpShare struct {
	Op    Op
	Share float64
}

// Limits of a workload.
const (
	MaxKeys      = 1 << 30
	MaxKeySize   = 64 << 10
	MaxValueSize = 64 << 20
	MaxZipf      = 10.0
	MaxDrift     = 1000.0
)

// Workload says which operations are sent. It has no defaults but for Distribution.
type Workload struct {
	Keys         int // how many keys there are, 1 to MaxKeys
	KeySize      int // bytes; "k:" and the key's number must fit
	ValueSize    int // bytes, 1 to MaxValueSize; from 16 on each value tells who wrote it, and is unique
	Mix          []OpShare
	Distribution string  // one of those above; empty means Uniform
	Zipf         float64 // exponent s of Zipf and Latest, in (0, MaxZipf]
	Hot          Hot
	Weights      []float64 // of Popularity: from the most popular key's down, at most one a key; the others are never asked for
	// Scramble spreads popular keys over the key space. Without it key i is the i-th most popular, and popular keys are
	// neighbours: in number, in the order of the preload, and so perhaps in memory. Where hashes choose a key's place it makes
	// no difference. Latest, Moving, Sequential and HotShard say themselves where popular keys are, and take no notice.
	Scramble bool
	Sharding *Sharding // of HotShard
	Seed     uint64
}

func (w Workload) check() error {
	least := len(keyPrefix) + decimalDigits(w.Keys-1)
	switch {
	case w.Keys < 1 || w.Keys > MaxKeys:
		return fmt.Errorf("workload: %d keys; use 1 to %d", w.Keys, MaxKeys)
	case w.KeySize < least || w.KeySize > MaxKeySize:
		return fmt.Errorf("workload: keys of %d bytes; %d keys need %d to %d", w.KeySize, w.Keys, least, MaxKeySize)
	case w.ValueSize < 1 || w.ValueSize > MaxValueSize:
		return fmt.Errorf("workload: values of %d bytes; use 1 to %d", w.ValueSize, MaxValueSize)
	}
	if err := w.checkKeyLaw(); err != nil {
		return err
	}
	_, err := w.getShare()
	return err
}

// getShare returns which part of the operations are GETs.
func (w Workload) getShare() (float64, error) {
	var sums [NumOps]float64
	for _, m := range w.Mix {
		if m.Op >= NumOps {
			return 0, fmt.Errorf("workload: unknown operation %d in the mix", m.Op)
		}
		if !(m.Share >= 0) || math.IsInf(m.Share, 0) {
			return 0, fmt.Errorf("workload: share %v of %s; use zero or more", m.Share, m.Op)
		}
		sums[m.Op] += m.Share
	}
	total := sums[Get] + sums[Set]
	if !(total > 0) || math.IsInf(total, 0) {
		return 0, fmt.Errorf("workload: the shares of the mix add up to %v; give one operation a share", total)
	}
	return sums[Get] / total, nil
}
