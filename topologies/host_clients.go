package topologies

import (
	"cmp"
	"slices"

	"github.com/shardlab/shardlab/server/command"
)

// Clients implements command.Host.
func (h *host) Clients() []*command.Client {
	h.mu.Lock()
	all := make([]*command.Client, 0, len(h.sessions))
	for c := range h.sessions {
		all = append(all, c.client)
	}
	h.mu.Unlock()
	slices.SortFunc(all, func(a, b *command.Client) int { return cmp.Compare(a.ID, b.ID) })
	return all
}

// Stats implements command.Host.
func (h *host) Stats() *command.Stats { return &h.stats }

// ResetStats implements command.Host.
func (h *host) ResetStats(expired, evicted int64) {
	h.mu.Lock()
	h.zero, h.expired, h.evicted = h.countsLocked(), expired, evicted
	h.mu.Unlock()
	h.stats.Reset()
}

// Shutdown implements command.Host.
func (h *host) Shutdown() bool {
	srv := h.srv.Load()
	if srv != nil {
		srv.AskShutdown()
	}
	return srv != nil
}
