package loadgen

import "testing"

func TestShareOf(t *testing.T) {
	for clients := range 12 {
		for workers := 1; workers < 5; workers++ {
			dealt := 0
			for w := range workers {
				n := shareOf(clients, workers, w)
				if n < clients/workers || n > clients/workers+1 {
					t.Errorf("worker %d of %d has %d of %d clients", w, workers, n, clients)
				}
				dealt += n
			}
			if dealt != clients {
				t.Errorf("%d of %d clients dealt to %d workers", dealt, clients, workers)
			}
		}
	}
}
