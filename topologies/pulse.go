package topologies

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/shardlab/shardlab/server/command"
)

// pulse is what an instance does once a second: it tells sessions the time, so that none needs a clock to say when it was last
// active, and takes the counts from which rates are made.
type pulse struct {
	host   *host
	second atomic.Int64 // Unix time
	quit   chan struct{}
	done   chan struct{}
	once   sync.Once

	mu        sync.Mutex
	last, now sample
}

type sample struct {
	at             time.Time
	commands       uint64
	received, sent uint64
}

func (p *pulse) init(h *host) {
	p.host, p.quit, p.done = h, make(chan struct{}), make(chan struct{})
	p.second.Store(time.Now().Unix())
	p.last.at = time.Now()
	p.now = p.last
}

// start begins to beat; stop ends it.
func (p *pulse) start() {
	go func() {
		defer close(p.done)
		t := time.NewTicker(time.Second)
		defer t.Stop()
		for {
			select {
			case now := <-t.C:
				p.beat(now)
			case <-p.quit:
				return
			}
		}
	}()
}

// stop ends a pulse that was started. It may be called more than once.
func (p *pulse) stop() {
	p.once.Do(func() { close(p.quit) })
	<-p.done
}

func (p *pulse) beat(now time.Time) {
	p.second.Store(now.Unix())
	s := p.take(now)
	p.mu.Lock()
	p.last, p.now = p.now, s
	p.mu.Unlock()
}

func (p *pulse) take(now time.Time) sample {
	s := sample{at: now, commands: p.host.counts().Commands}
	if srv := p.host.srv.Load(); srv != nil {
		t := srv.Traffic()
		s.received, s.sent = t.In, t.Out
	}
	return s
}

// rates are those of the last whole second.
func (p *pulse) rates() command.Rates {
	p.mu.Lock()
	last, now := p.last, p.now
	p.mu.Unlock()
	current := p.take(time.Now())
	r := command.Rates{Received: current.received, Sent: current.sent}
	if secs := now.at.Sub(last.at).Seconds(); secs > 0 && now.commands >= last.commands { // else the counters were reset
		r.CommandsPS = float64(now.commands-last.commands) / secs
		r.ReceivedPS = float64(now.received-last.received) / secs
		r.SentPS = float64(now.sent-last.sent) / secs
	}
	return r
}
