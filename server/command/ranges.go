package command

import "github.com/shardlab/shardlab/store"

func getrange(x *Exec, sh *store.Shard, hash uint64, args [][]byte) {
	start, _ := parseInt(args[2]) // checked
	end, _ := parseInt(args[3])
	v, _ := x.find(sh, hash, args[1])
	n := int64(len(v))
	if start < 0 && end < 0 && start > end {
		x.W.Bulk(nil)
		return
	}
	fromEnd := func(i int64) int64 {
		if i < 0 {
			i = max(n+i, 0)
		}
		return i
	}
	start, end = fromEnd(start), min(fromEnd(end), n-1)
	if start > end {
		x.W.Bulk(nil)
		return
	}
	x.W.Bulk(v[start : end+1])
}

func checkSetrange(args [][]byte) string {
	switch at, ok := parseInt(args[2]); {
	case !ok:
		return errNotInteger
	case at < 0:
		return "ERR offset is out of range"
	}
	return ""
}

func setrange(x *Exec, sh *store.Shard, hash uint64, args [][]byte) {
	key, piece := args[1], args[3]
	at, _ := parseInt(args[2]) // checked
	now := x.shardNow(sh)
	old, _ := sh.Get(hash, key, now)
	if len(piece) == 0 {
		x.W.Int(int64(len(old)))
		return
	}
	if x.tooLong(at, piece) {
		return
	}
	v := append(x.scratch[:0], old...)
	end := int(at) + len(piece)
	if len(v) < end {
		v = append(v, make([]byte, end-len(v))...)
	}
	copy(v[at:], piece)
	x.setRaw(sh, hash, key, v, now)
}

func appendTo(x *Exec, sh *store.Shard, hash uint64, args [][]byte) {
	key, piece := args[1], args[2]
	now := x.shardNow(sh)
	old, there := sh.Get(hash, key, now)
	if !there {
		sh.Set(hash, key, piece, 0)
		x.W.Int(int64(len(piece)))
		return
	}
	if x.tooLong(int64(len(old)), piece) {
		return
	}
	x.setRaw(sh, hash, key, append(append(x.scratch[:0], old...), piece...), now)
}

// setRaw stores a value that was put together from pieces, and answers its length. v is x.scratch, grown.
func (x *Exec) setRaw(sh *store.Shard, hash uint64, key, v []byte, now int64) {
	sh.SetKeepTTL(hash, key, v, now)
	sh.SetMark(hash, key, rawMark)
	x.W.Int(int64(len(v)))
	x.keepScratch(v)
}

// tooLong refuses a value of size bytes with piece behind them, if it is longer than a value may be.
func (x *Exec) tooLong(size int64, piece []byte) bool {
	most := int64(x.Host.MaxValue())
	if size <= most && size+int64(len(piece)) <= most {
		return false
	}
	x.Error("ERR string exceeds maximum allowed size (proto-max-bulk-len)")
	return true
}

// keepScratch remembers the room of scratch for the next command, unless it is much.
func (x *Exec) keepScratch(b []byte) {
	if cap(b) <= 64<<10 {
		x.scratch = b[:0]
	} else {
		x.scratch = nil
	}
}
