package loadgen

// backlog holds the arrivals of an open loop that are due and cannot be sent, because too many requests are in flight
// on their socket. All sockets of a worker share its nodes, so that its size bounds the memory, and each has its own
// list, so that a stuck one does not hold up the others.
type backlog struct {
	nodes []waitingNode
	free  int32 // list of nodes given back
	fresh int   // nodes from here on were never used
	count int
}

type waitingNode struct {
	waitingArrival
	next int32 // index of a node, -1 for none
}

// waitingArrival is an operation that is due.
type waitingArrival struct {
	due    int64
	turn   uint64 // which operation of its client it is
	client uint32
}

// waitingList is a queue of nodes of a backlog. Its zero value is not empty: see clear.
type waitingList struct{ first, last int32 }

func (l *waitingList) clear() { l.first, l.last = -1, -1 }

func (l *waitingList) empty() bool { return l.first < 0 }

func newBacklog(size int) backlog { return backlog{nodes: make([]waitingNode, size), free: -1} }

// put appends a to l. It reports false when the backlog is full.
func (b *backlog) put(l *waitingList, a waitingArrival) bool {
	i := b.free
	switch {
	case i >= 0:
		b.free = b.nodes[i].next
	case b.fresh < len(b.nodes):
		i = int32(b.fresh)
		b.fresh++
	default:
		return false
	}
	b.nodes[i] = waitingNode{a, -1}
	if l.empty() {
		l.first = i
	} else {
		b.nodes[l.last].next = i
	}
	l.last = i
	b.count++
	return true
}

// take removes the first of l, which is not empty.
func (b *backlog) take(l *waitingList) waitingArrival {
	i := l.first
	n := &b.nodes[i]
	l.first = n.next
	n.next, b.free = b.free, i
	b.count--
	return n.waitingArrival
}
