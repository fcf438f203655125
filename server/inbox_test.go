package server

import (
	"runtime"
	"sync"
	"testing"
)

// Tasks of one producer run in the order they were posted, whether they find room in their ring or spill into the common
// queue, and none is lost or run twice.
func TestInboxKeepsOrder(t *testing.T) {
	const producers, each = 4, 20 * ringSize
	for _, burst := range []int{1, ringSize - 1, ringSize + 1, 3 * ringSize} {
		var in inbox
		var got [2 * producers][]int
		var wg sync.WaitGroup
		for p := range 2 * producers {
			wg.Go(func() {
				for i := range each {
					task := &Task{Run: func() { got[p] = append(got[p], i) }}
					if p >= producers {
						in.queue.push(task)
					} else if !in.ring(p).push(task) {
						in.queue.push(task)
					}
					if i%burst == burst-1 {
						runtime.Gosched()
					}
				}
			})
		}
		producing := make(chan struct{})
		go func() { wg.Wait(); close(producing) }()
		for done := false; !done || !in.empty(); {
			select {
			case <-producing:
				done = true
			default:
			}
			in.run()
		}
		for p := range got {
			if len(got[p]) != each {
				t.Fatalf("burst %d: producer %d: %d of %d tasks ran", burst, p, len(got[p]), each)
			}
			for i := range got[p] {
				if got[p][i] != i {
					t.Fatalf("burst %d: producer %d: task %d ran as number %d", burst, p, got[p][i], i)
				}
			}
		}
	}
}

// A task that finds its ring full goes through the queue, and so do all behind it until it has run.
func TestRingSpillsInOrder(t *testing.T) {
	var in inbox
	var ran []int
	n := 0
	post := func() (ringed bool) {
		i := n
		n++
		task := &Task{Run: func() { ran = append(ran, i) }}
		if ringed = in.ring(0).push(task); !ringed {
			in.queue.push(task)
		}
		return ringed
	}
	for range ringSize {
		if !post() {
			t.Fatalf("task %d found no room in a ring of %d", n-1, ringSize)
		}
	}
	if post() {
		t.Fatalf("a ring of %d took %d tasks", ringSize, n)
	}
	in.ring(0).run() // room again, but one is still on its way through the queue
	if post() {
		t.Fatal("a task overtook one that had spilled")
	}
	in.run()
	if !post() {
		t.Fatal("the ring stays closed after what had spilled has run")
	}
	in.run()
	for i := range ran {
		if ran[i] != i || len(ran) != n {
			t.Fatalf("ran %d of %d tasks, number %d in place %d", len(ran), n, ran[i], i)
		}
	}
}

// Loops that send one another tasks as fast as they can lose none, however often they fall asleep in between.
func TestPostFromWakesTheReceiver(t *testing.T) {
	s := start(t, Options{Transport: Epoll, Loops: 3, Listen: []Listen{{Addr: "127.0.0.1:0", Loop: AnyLoop}}}, &echo{})
	loops := s.Loops()
	const balls, passes = 40, 500
	var wg sync.WaitGroup
	for b := range balls {
		wg.Add(1)
		at, left := b%len(loops), passes
		ball := new(Task)
		ball.Run = func() {
			if left--; left == 0 {
				wg.Done()
				return
			}
			from := at
			at = (at + 1 + b%2) % len(loops)
			loops[at].PostFrom(from, ball)
		}
		loops[at].Post(ball)
	}
	wg.Wait()
}

func TestPostFromDoesNotAllocate(t *testing.T) {
	s := start(t, Options{Transport: Epoll, Loops: 2, Listen: []Listen{{Addr: "127.0.0.1:0", Loop: AnyLoop}}}, &echo{})
	loops := s.Loops()
	done := make(chan struct{})
	back := Task{Run: func() { done <- struct{}{} }}
	there := Task{Run: func() { loops[0].PostFrom(1, &back) }}
	start := Task{Run: func() { loops[1].PostFrom(0, &there) }}
	round := func() { loops[0].Post(&start); <-done }
	round() // makes the rings
	if n := testing.AllocsPerRun(200, round); n != 0 {
		t.Errorf("%v allocations for a task there and back", n)
	}
}

func BenchmarkPost(b *testing.B) {
	t := Task{Run: func() {}}
	b.Run("queue", func(b *testing.B) {
		var in inbox
		for b.Loop() {
			in.queue.push(&t)
			in.run()
		}
	})
	b.Run("ring", func(b *testing.B) {
		var in inbox
		for b.Loop() {
			in.ring(0).push(&t)
			in.run()
		}
	})
}
