package store

import "unsafe"

// fifo is a queue of hashes, in blocks without pointers. An entry's place in it is not known: what the entry's meta says
// is which queue it is in, and the stamp of the block. So an entry that goes, or enters a queue again, leaves a stale
// hash behind, which is passed over when its turn comes, or dropped by clean. The zero fifo is empty and ready.
type fifo struct {
	blocks []*block // oldest first, none of them empty
	n      int      // hashes, stale ones included
	swept  int      // the block that clean comes to next
	spare  *block   // for extend
}

type block struct {
	hashes  [blockLen]uint64
	born    int64  // when it was begun, in Unix milliseconds
	from, n uint16 // its hashes are hashes[from:n]
	stamp   uint8  // 0 to stampMask
}

const (
	blockLen  = 254 // fills 2 KiB
	blockSize = int(unsafe.Sizeof(block{}))
	stampMask = 31
)

func (q *fifo) held() int { return len(q.blocks)*blockSize + cap(q.blocks)*wordSize }

// atEnd reports whether push needs extend first.
func (q *fifo) atEnd() bool { return len(q.blocks) == 0 || q.blocks[len(q.blocks)-1].n == blockLen }

// extend appends a block.
func (q *fifo) extend(stamp uint8, now int64) {
	b := q.spare
	if b == nil {
		b = new(block)
	}
	q.spare = nil
	b.stamp, b.born, b.from, b.n = stamp, now, 0, 0
	q.blocks = append(q.blocks, b)
}

// push appends a hash and returns the stamp that its entry must have.
func (q *fifo) push(hash uint64) (stamp uint8) {
	b := q.blocks[len(q.blocks)-1]
	b.hashes[b.n] = hash
	b.n++
	q.n++
	return b.stamp
}

// oldest returns the block that pop takes from, nil if the queue is empty.
func (q *fifo) oldest() *block {
	if len(q.blocks) == 0 {
		return nil
	}
	return q.blocks[0]
}

// pop removes the oldest hash of a queue that is not empty.
func (q *fifo) pop() (hash uint64, stamp uint8) {
	b := q.blocks[0]
	hash, stamp = b.hashes[b.from], b.stamp
	b.from++
	q.n--
	if b.from == b.n {
		q.drop(0)
	}
	return hash, stamp
}

func (q *fifo) drop(i int) {
	q.spare = q.blocks[i]
	if i == 0 { // the usual case; append moves the others, and drops what is before them, once in a while
		q.blocks[0] = nil
		q.blocks = q.blocks[1:]
	} else {
		copy(q.blocks[i:], q.blocks[i+1:])
		q.blocks[len(q.blocks)-1] = nil
		q.blocks = q.blocks[:len(q.blocks)-1]
	}
	if q.swept > i {
		q.swept--
	}
}

// clean drops the hashes of one block for which keep is false, and joins it to the block before if the two fit. keep is
// told the stamp that the entry has, and gives it the one that it must have from now on: two hashes of one entry are
// then told apart.
func (q *fifo) clean(stamp uint8, keep func(hash uint64, old, stamp uint8) bool) {
	if len(q.blocks) == 0 {
		return
	}
	if q.swept >= len(q.blocks) {
		q.swept = 0
	}
	b := q.blocks[q.swept]
	to := b
	if q.swept > 0 {
		if before := q.blocks[q.swept-1]; int(before.n+b.n-b.from) <= blockLen {
			to, stamp = before, before.stamp
		}
	}
	hashes, old := b.hashes[b.from:b.n], b.stamp
	q.n -= len(hashes)
	if to == b {
		b.from, b.n, b.stamp = 0, 0, stamp
	}
	for _, hash := range hashes {
		if keep(hash, old, stamp) {
			to.hashes[to.n] = hash
			to.n++
			q.n++
		}
	}
	if to != b || b.n == 0 {
		q.drop(q.swept)
	} else {
		q.swept++
	}
}
