package loadgen

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"

	"github.com/zeebo/xxh3"
)

// How much of the streams StreamHash covers.
const (
	hashedOperations = 1000
	hashedArrivals   = 1000
	hashedBytes      = 64 << 20 // of all connections together; at least one operation of each is hashed
)

// StreamHash names the operations that a load sends: it is the XXH3-64, in hexadecimal, of the encoded requests of the
// first 1000 operations of each connection (fewer when they would pass 64 MiB), and in an open loop of the first 1000
// arrivals, as nanoseconds, and all listed ones. Requests count as RESP encodes them, whatever protocol they are sent in. It is a pure function of its arguments. Two runs are comparable only if theirs are equal.
func StreamHash(w Workload, l Load) (string, error) {
	p, err := newPlan(w)
	if err != nil {
		return "", err
	}
	if err := l.check(); err != nil {
		return "", err
	}
	p.clients = uint64(l.Connections)
	h := xxh3.New()
	each := min(max(hashedBytes/(l.Connections*p.requestSize()), 1), hashedOperations)
	if w.Trace != nil {
		h.WriteString(w.Trace.sum)
	}
	var buf []byte
	for c := range uint32(l.Connections) {
		for i := range uint64(each) {
			buf = p.appendTurn(buf[:0], c, i)
			h.Write(buf)
		}
	}
	if l.Mode == Open {
		hashArrivals(h, w.Seed, l)
	}
	hashShape(h, &l)
	return fmt.Sprintf("%016x", h.Sum64()), nil
}

// hashShape hashes what else decides which operation is sent when; nothing where it is at its default.
func hashShape(h *xxh3.Hasher, l *Load) {
	for i, x := range []float64{l.RateTo, float64(l.Active), l.Churn} {
		if x != 0 {
			h.Write(binary.LittleEndian.AppendUint64([]byte{byte(i)}, math.Float64bits(x)))
		}
	}
}

// JoinHashes names streams that are sent together or one after the other. A single one keeps its name.
func JoinHashes(hashes []string) string {
	if len(hashes) == 1 {
		return hashes[0]
	}
	return fmt.Sprintf("%016x", xxh3.HashString(strings.Join(hashes, " ")))
}

// hashArrivals hashes the first arrivals, and what the later ones depend on besides.
func hashArrivals(h *xxh3.Hasher, seed uint64, l Load) {
	write := func(x uint64) { h.Write(binary.LittleEndian.AppendUint64(nil, x)) }
	a := newArrivals(seed, l)
	for range hashedArrivals {
		write(uint64(a.next()))
	}
	switch l.Arrival.Law { // a Poisson process adds nothing: its hash is that of the time before there were others
	case Evenly:
		h.Write([]byte("uniform"))
	case Bursts:
		write(uint64(a.On))
		write(uint64(a.Off))
		write(math.Float64bits(a.Share))
	case Listed:
		for _, t := range a.Times {
			write(uint64(t - a.Times[0]))
		}
	}
}
