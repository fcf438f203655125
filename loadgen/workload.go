package loadgen

import (
	"errors"
	"fmt"
	"strings"
)

// Limits of a workload.
const (
	MaxKeys      = 1 << 30
	MaxKeySize   = 64 << 10
	MaxValueSize = 64 << 20
	MaxKeysPerOp = 1024
	MaxTTL       = 1 << 40 // ms
	MaxZipf      = 10.0
	MaxDrift     = 1000.0
)

// Workload says which operations are sent. It has no defaults but for Distribution.
type Workload struct {
	Keys      int // how many keys there are, 1 to MaxKeys
	KeySize   int // bytes; "k:" and the number of the last key must fit
	KeyLaw    Law // unless zero, what sizes keys have instead of KeySize
	ValueSize int // bytes, 1 to MaxValueSize; from 16 on each value tells who wrote it, and is unique
	ValueLaw  Law // unless zero, what sizes values have instead of ValueSize
	// OtherValues are laws of sizes of values that others write to the same keys, which reads may meet.
	OtherValues []Law
	Random      float64 // share of a value's bytes that are random, in (0, 1]; the rest compresses. Zero means 1
	Mix         []OpShare
	TTL         Law // of SetEx and Expire, in milliseconds
	KeysPerOp   int // of MGet and MSet, 1 to MaxKeysPerOp; a key may be there twice
	// CrossShard is the share of MGets and MSets whose keys are of at least two shards of Sharding; those of the others are of
	// one. Below 0 each key is drawn for itself, and nothing is said of shards.
	CrossShard float64
	// Templates are commands of the workload's own: words, among which {key} stands for the key, {value} for a value and {ttl}
	// for a time to live. Every reply is good but an error. A command that makes something else of a key than a string needs
	// keys of its own, as in HSET h:{key} field {value}: what {key} names was preloaded.
	Templates    []string
	Distribution string  // one of those above; empty means Uniform
	Zipf         float64 // exponent s of Zipf and Latest, in (0, MaxZipf]
	Hot          Hot
	Weights      []float64 // of Popularity: from the most popular key's down, at most one a key; the others are never asked for
	// Scramble spreads popular keys over the key space. Without it key i is the i-th most popular, and popular keys are
	// neighbours: in number, in the order of the preload, and so perhaps in memory. Where hashes choose a key's place it makes
	// no difference. Latest, Moving, Sequential and HotShard say themselves where popular keys are, and take no notice.
	Scramble bool
	Sharding *Sharding // of HotShard
	Trace    *Trace    // unless nil, keys and operations are the trace's: Trace.Workload makes such a workload
	// MayBeGone lets a preload pass that finds keys gone, as in a store that is too small for them.
	MayBeGone bool
	Seed      uint64
}

func (w Workload) check() error {
	least, sizes := len(keyPrefix)+decimalDigits(w.Keys-1), w.keyLaw()
	switch {
	case w.Keys < 1 || w.Keys > MaxKeys:
		return fmt.Errorf("workload: %d keys; use 1 to %d", w.Keys, MaxKeys)
	case w.Trace != nil && w.Keys != w.Trace.stats.Keys:
		return errors.New("workload: keys or operations beside those of a trace; Trace.Workload makes a workload of it")
	case w.Trace == nil && sizes.Min < least || sizes.Max > MaxKeySize:
		return fmt.Errorf("workload: keys of %s bytes; %d keys need %d to %d", sizes.span(), w.Keys, least, MaxKeySize)
	case w.ValueLaw.Max == 0 && (w.ValueSize < 1 || w.ValueSize > MaxValueSize):
		return fmt.Errorf("workload: values of %d bytes; use 1 to %d", w.ValueSize, MaxValueSize)
	case w.Random < 0 || w.Random > 1 || w.Random != w.Random:
		return fmt.Errorf("workload: %v of a value's bytes random; use a share in (0, 1]", w.Random)
	}
	if err := errors.Join(sizes.check("key sizes", MaxKeySize), w.valueLaw().check("value sizes", MaxValueSize)); err != nil {
		return err
	}
	for _, l := range w.OtherValues {
		if err := l.check("others' value sizes", MaxValueSize); err != nil {
			return err
		}
	}
	if err := w.checkKeyLaw(); err != nil {
		return err
	}
	return w.checkOps()
}

// preloaded is how many keys there are before load begins.
func (w Workload) preloaded() uint64 {
	if w.Trace != nil {
		return uint64(len(w.Trace.preload))
	}
	return uint64(w.Keys)
}

// valueLaw is that of the sizes of values.
func (w Workload) valueLaw() Law {
	if w.ValueLaw.Max != 0 {
		return w.ValueLaw
	}
	return Fixed(w.ValueSize)
}

// checkOps checks the mix, and what its operations need.
func (w Workload) checkOps() error {
	if len(w.Templates) > MaxTemplates {
		return fmt.Errorf("workload: %d commands; at most %d", len(w.Templates), MaxTemplates)
	}
	needsTTL := false
	for _, t := range w.Templates {
		if err := checkTemplate(t); err != nil {
			return err
		}
		needsTTL = needsTTL || strings.Contains(t, "{ttl}")
	}
	if _, err := w.parts(); err != nil {
		return err
	}
	if needsTTL || w.share(Op.expires) > 0 {
		if err := w.TTL.check("times to live, ms,", MaxTTL); err != nil {
			return err
		}
	}
	if w.share(Op.multi) == 0 {
		return nil
	}
	switch {
	case w.KeysPerOp < 1 || w.KeysPerOp > MaxKeysPerOp:
		return fmt.Errorf("workload: %d keys an operation; use 1 to %d", w.KeysPerOp, MaxKeysPerOp)
	case w.CrossShard > 1 || w.CrossShard != w.CrossShard:
		return fmt.Errorf("workload: %v of the operations cross shards; use 0 to 1, or less than 0 for what comes", w.CrossShard)
	case w.CrossShard >= 0 && w.Sharding == nil:
		return fmt.Errorf("workload: a share of operations across shards needs a Sharding")
	case w.CrossShard > 0 && w.KeysPerOp < 2:
		return fmt.Errorf("workload: an operation on one key cannot cross shards; use 2 keys an operation or more")
	}
	return nil
}
