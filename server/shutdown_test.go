package server

import "testing"

func TestAskShutdown(t *testing.T) {
	eachTransport(t, func(t *testing.T, opts Options, e *echo) {
		s := start(t, opts, e)
		select {
		case <-s.ShutdownAsked():
			t.Fatal("asked by nobody")
		default:
		}
		s.AskShutdown()
		s.AskShutdown() // once more does no harm
		<-s.ShutdownAsked()
		mustEcho(t, dial(t, s)) // it is for the asked to act
	})
}
