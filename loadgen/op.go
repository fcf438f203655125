package loadgen

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Op is the type of an operation. From FirstTemplate on it is one of the workload's own.
type Op uint8

// The operations a workload is mixed of.
const (
	Get    Op = iota // GET key
	Set              // SET key value
	Del              // DEL key
	Incr             // INCR key, of keys of its own that begin with n: where the others begin with k:
	MGet             // MGET of KeysPerOp keys
	MSet             // MSET of KeysPerOp keys
	SetEx            // PSETEX key ttl value: a SET that expires
	Expire           // PEXPIRE key ttl
	Decr             // DECR key, of Incr's
	Exists           // EXISTS key

	// ReadModifyWrite is a GET and, when its reply has come, a SET of the key. It takes until the SET is answered.
	ReadModifyWrite

	FirstTemplate                                // Workload.Templates[0]
	NumOps        = FirstTemplate + MaxTemplates // how many there can be; sizes arrays indexed by Op

	putCounter = NumOps // of the preload: a counter at 0, where a protocol cannot count what is not there
)

// MaxTemplates is how many commands of its own a workload may have.
const MaxTemplates = 8

var opNames = [FirstTemplate]string{"GET", "SET", "DEL", "INCR", "MGET", "MSET", "SETEX", "EXPIRE", "DECR", "EXISTS", "RMW"}

func (o Op) String() string {
	if o < FirstTemplate {
		return opNames[o]
	}
	return fmt.Sprintf("op %d", uint8(o))
}

// ParseOp returns the operation of that name, in any case.
func ParseOp(name string) (Op, error) {
	for i, n := range opNames {
		if strings.EqualFold(n, name) {
			return Op(i), nil
		}
	}
	return 0, fmt.Errorf("unknown operation %q; have %s", name, strings.Join(opNames[:], ", "))
}

// writes reports whether o writes whole values.
func (o Op) writes() bool { return o == Set || o == MSet || o == SetEx }

// multi reports whether o has several keys.
func (o Op) multi() bool { return o == MGet || o == MSet }

// expires reports whether o gives a key a time to live.
func (o Op) expires() bool { return o == SetEx || o == Expire }

// counts reports whether o's key is a counter's.
func (o Op) counts() bool { return o == Incr || o == Decr }

// removes reports whether a key may be gone after o, at once or later. Of templates nothing is known.
func (o Op) removes() bool { return o == Del || o.expires() || o >= FirstTemplate }

// OpShare is one part of a mix. Shares are relative: 9 to 1 is the same as 0.9 to 0.1.
type OpShare struct {
	Op    Op
	Share float64
}

// OpName returns what an operation of the workload is called: of a template the command, and where another has the same,
// its number too.
func (w Workload) OpName(o Op) string {
	if o < FirstTemplate || int(o-FirstTemplate) >= len(w.Templates) {
		return o.String()
	}
	command := func(t string) string { return strings.ToUpper(strings.Fields(t + " -")[0]) }
	name, same := command(w.Templates[o-FirstTemplate]), 0
	for _, t := range w.Templates {
		if command(t) == name {
			same++
		}
	}
	if same > 1 || slices.Contains(opNames[:], name) {
		return fmt.Sprintf("%s.%d", name, o-FirstTemplate+1)
	}
	return name
}

// MayMiss reports whether reads of the workload are expected to miss: it deletes keys, or lets them expire, or has commands
// of which nothing is known.
func (w Workload) MayMiss() bool { return w.Trace != nil || w.share(Op.removes) > 0 }

// mixPart is one operation of a mix, and the end of the words that stand for it.
type mixPart struct {
	op    Op
	below uint64 // the upper 63 bits of the word are
}

// parts returns the operations of the mix, in their order.
func (w Workload) parts() ([]mixPart, error) {
	var sums [NumOps]float64
	total := 0.0
	for _, m := range w.Mix {
		if m.Op >= FirstTemplate+Op(min(len(w.Templates), MaxTemplates)) {
			return nil, fmt.Errorf("workload: unknown operation %d in the mix", m.Op)
		}
		if !(m.Share >= 0) || math.IsInf(m.Share, 0) {
			return nil, fmt.Errorf("workload: share %v of %s; use zero or more", m.Share, w.OpName(m.Op))
		}
		sums[m.Op] += m.Share
	}
	for _, share := range sums {
		total += share
	}
	if !(total > 0) || math.IsInf(total, 0) {
		return nil, fmt.Errorf("workload: the shares of the mix add up to %v; give one operation a share", total)
	}
	var parts []mixPart
	so := 0.0
	for op, share := range sums {
		if share > 0 {
			so += share
			parts = append(parts, mixPart{Op(op), uint64(so / total * (1 << 63))})
		}
	}
	parts[len(parts)-1].below = 1 << 63 // whatever rounding has left over
	return parts, nil
}
