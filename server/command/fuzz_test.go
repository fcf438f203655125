package command

import (
	"bytes"
	"strings"
	"testing"

	"github.com/shardlab/shardlab/server/wire"
)

// FuzzRequests: whatever is asked, and in whatever state the session is, there is one whole reply, and no panic. A line is a
// request, its words parted by blanks.
func FuzzRequests(f *testing.F) {
	for _, group := range strings.Split(replyTable, "\n\n") {
		var requests []string
		for _, line := range strings.Split(group, "\n") {
			request, _, _ := strings.Cut(line, " -> ")
			requests = append(requests, request)
		}
		f.Add([]byte(strings.Join(requests, "\n")))
	}
	for _, s := range All() {
		for _, s := range append([]*Spec{s}, s.Subs...) {
			f.Add([]byte(strings.ReplaceAll(s.Name, "|", " ") + strings.Repeat(" 1", 5)))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		x := newExec()
		for line := range bytes.SplitSeq(data, []byte("\n")) {
			args := bytes.Split(line, []byte(" "))
			x.W.Buf = x.W.Buf[:0]
			if cmd := Find(args); x.Admit(cmd, args) {
				RunHeld(x, cmd, held{x.Host.(*host)}, args)
			}
			silent := x.gate&(replyOff|replySkip) != 0
			x.Settle(0)
			mustBeOneReply(t, x, line, silent || x.Close)
		}
		x.Release()
	})
}

func mustBeOneReply(t *testing.T, x *Exec, request []byte, none bool) {
	if none && len(x.W.Buf) == 0 {
		return
	}
	replies := wire.NewReplyScanner(wire.ReplyLimits{})
	if _, n, err := replies.Next(x.W.Buf); err != nil || n != len(x.W.Buf) {
		t.Fatalf("%.200q: reply %.300q: %d of %d bytes, %v", request, x.W.Buf, n, len(x.W.Buf), err)
	}
}
