package command

import (
	"strconv"

	"github.com/shardlab/shardlab/store"
)

// A cursor of SCAN is the number of a shard above the cursor within it. Shards are scanned one after another; the cursor
// that starts one is its number alone.
const shardCursorBits = 48

const scanCount = 10 // keys a call looks at, unless told

// parseCursor reads what strtoul reads: an unsigned number, perhaps with a sign; nothing at all is 0.
func parseCursor(b []byte) (uint64, bool) {
	if b = clip(b, len(b)); len(b) == 0 {
		return 0, true
	}
	negative := b[0] == '-'
	if negative || b[0] == '+' {
		b = b[1:]
	}
	n, err := strconv.ParseUint(string(b), 10, 64)
	if negative {
		n = -n
	}
	return n, err == nil
}

// scanShard is the shard that a SCAN continues in. A cursor that nobody gave out leads to some shard.
func scanShard(args [][]byte, shards int) int {
	if len(args) < 2 {
		return 0
	}
	cursor, _ := parseCursor(args[1])
	return int(cursor >> shardCursorBits % uint64(shards))
}

type scanOptions struct {
	pattern []byte // nil: all
	count   int
	none    bool // it is about a type that no key has
}

func checkScan(args [][]byte) string {
	_, wrong := parseScan(args)
	return wrong
}

func parseScan(args [][]byte) (o scanOptions, wrong string) {
	if _, ok := parseCursor(args[1]); !ok {
		return o, "ERR invalid cursor"
	}
	o.count = scanCount
	for i := 2; i < len(args); i += 2 {
		if i+1 == len(args) {
			return o, errSyntax
		}
		switch word, value := args[i], args[i+1]; {
		case is(word, "count"):
			n, ok := parseInt(value)
			if !ok {
				return o, errNotInteger
			}
			if n < 1 {
				return o, errSyntax
			}
			o.count = int(n)
		case is(word, "match"):
			if o.pattern = value; string(value) == "*" {
				o.pattern = nil
			}
		case is(word, "type"):
			o.none = !is(value, "string")
		default:
			return o, errSyntax
		}
	}
	return o, ""
}

func scan(x *Exec, sh *store.Shard, _ uint64, args [][]byte) {
	cursor, _ := parseCursor(args[1]) // checkScan accepted it
	shards := x.Host.Shards()
	shard := scanShard(args, shards)
	next := x.gatherKeys(sh, cursor&(1<<shardCursorBits-1), args)
	switch {
	case next != 0:
		next |= uint64(shard) << shardCursorBits
	case shard+1 < shards:
		next = uint64(shard+1) << shardCursorBits
	}
	x.endScan(next)
}

// gatherKeys looks at some keys of a shard and returns the cursor to go on with.
func (x *Exec) gatherKeys(sh *store.Shard, cursor uint64, args [][]byte) (next uint64) {
	o, _ := parseScan(args) // checkScan accepted it
	now := x.Now()
	return sh.Scan(cursor, o.count, func(key, _ []byte, expireAt int64) {
		if !o.none && (expireAt == 0 || expireAt > now) && (o.pattern == nil || match(o.pattern, key, false)) {
			x.keys.add(key)
		}
	})
}

// endScan answers with the cursor and the keys that were gathered.
func (x *Exec) endScan(next uint64) {
	var digits [20]byte
	x.W.Array(2)
	x.W.Bulk(strconv.AppendUint(digits[:0], next, 10))
	x.keys.write(x)
}

// SCNP.SCANSHARD is SCAN of a shard that the client names before the cursor: for clients that have a connection to each
// shard's own port, which serves no other. Its cursors are those of the one shard.

// ErrScanShard is what a port of another shard answers, and every port where there is no such shard.
const ErrScanShard = "ERR SCNP scan shard mismatch"

func namedShard(args [][]byte, shards int) int {
	if len(args) > 1 {
		if n, ok := parseInt(args[1]); ok && n >= 0 && n < int64(shards) {
			return int(n)
		}
	}
	return 0
}

func checkScanNamed(args [][]byte) string {
	if n, ok := parseInt(args[1]); !ok || n < 0 {
		return errNotInteger
	}
	return checkScan(args[1:])
}

func scanNamed(x *Exec, sh *store.Shard, _ uint64, args [][]byte) {
	if n, _ := parseInt(args[1]); n >= int64(x.Host.Shards()) {
		x.Error(ErrScanShard)
		return
	}
	cursor, _ := parseCursor(args[2])
	x.endScan(x.gatherKeys(sh, cursor&(1<<shardCursorBits-1), args[1:]))
}
