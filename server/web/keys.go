package web

import (
	"encoding/json"
	"errors"
	"net"
	"strconv"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/shardlab/shardlab/server/wire"
)

// tries is how often a conditional request is evaluated when others change its key in between.
const tries = 16

// The commands, and their words.
var (
	cmdGet, cmdSet, cmdDel  = []byte("GET"), []byte("SET"), []byte("DEL")
	cmdExists, cmdPTTL      = []byte("EXISTS"), []byte("PTTL")
	cmdWatch, cmdUnwatch    = []byte("WATCH"), []byte("UNWATCH")
	cmdMulti, cmdExec       = []byte("MULTI"), []byte("EXEC")
	wordEX, wordNX          = []byte("EX"), []byte("NX")
	errorPrefix             = []byte(`{"error":`)
	contentJSON, contentAny = "application/json", "application/octet-stream"
)

const allow = "GET, HEAD, PUT, DELETE"

// handle answers one request.
func (s *Server) handle(ctx *fasthttp.RequestCtx) {
	if s.draining.Load() {
		ctx.SetConnectionClose()
	}
	if password := s.opts.Password(); password != "" && !authorized(string(ctx.Request.Header.Peek("Authorization")), password) {
		ctx.Response.Header.Add("WWW-Authenticate", `Bearer realm="shardlab"`)
		ctx.Response.Header.Add("WWW-Authenticate", `Basic realm="shardlab"`)
		s.fail(ctx, fasthttp.StatusUnauthorized, "authentication required: send the password as Authorization: Bearer")
		return
	}
	sess := s.sessions.take()
	defer s.sessions.put(sess)
	key, found, ok := keyOf(sess.key[:0], ctx.Request.Header.RequestURI())
	sess.key = key
	switch {
	case !found:
		s.fail(ctx, fasthttp.StatusNotFound, "no such resource; keys are at "+keysPath+"{key}")
	case !ok:
		s.fail(ctx, fasthttp.StatusBadRequest, "malformed percent-encoding in the key")
	case len(key) == 0:
		s.fail(ctx, fasthttp.StatusBadRequest, "empty key")
	default:
		s.keyRequest(ctx, sess)
		s.count(ctx)
	}
}

func (s *Server) keyRequest(ctx *fasthttp.RequestCtx, sess *session) {
	h := &ctx.Request.Header
	r := &keyRequest{Server: s, ctx: ctx, sess: sess,
		cond: conditions{string(h.Peek("If-Match")), string(h.Peek("If-None-Match"))}}
	switch {
	case h.IsGet(), h.IsHead():
		r.get()
	case h.IsPut():
		r.put()
	case h.IsDelete():
		r.delete()
	default:
		ctx.Response.Header.Set("Allow", allow)
		r.refuse(fasthttp.StatusMethodNotAllowed, "method not allowed; use "+allow)
	}
}

// keyRequest is a request for sess.key.
type keyRequest struct {
	*Server
	ctx  *fasthttp.RequestCtx
	sess *session
	cond conditions
}

func (r *keyRequest) get() {
	r.sess.begin()
	r.sess.add(cmdGet, r.sess.key)
	r.sess.add(cmdPTTL, r.sess.key)
	replies, ok := r.exec()
	if !ok {
		return
	}
	etag := ""
	if replies[0].Kind != wire.NullReply {
		etag = etagOf(replies[0].Payload)
	}
	match, noneMatch := r.cond.hold(etag)
	switch {
	case !match:
		r.refuse(fasthttp.StatusPreconditionFailed, "the value does not match If-Match")
	case etag == "":
		r.refuse(fasthttp.StatusNotFound, "no such key")
	case !noneMatch:
		r.describe(etag, replies[1].Int)
		r.ctx.SetStatusCode(fasthttp.StatusNotModified)
	default:
		r.describe(etag, replies[1].Int)
		r.ctx.SetContentType(contentAny)
		r.ctx.SetBody(replies[0].Payload)
	}
}

// describe sets what is said of a value besides itself. ttl is PTTL's reply.
func (r *keyRequest) describe(etag string, ttl int64) {
	h := &r.ctx.Response.Header
	h.Set("ETag", etag)
	if ttl < 0 { // it stays until it is replaced, which may be at any time
		h.Set("Cache-Control", "no-cache")
		return
	}
	left := strconv.FormatInt(ttl/1000, 10)
	h.Set("Cache-Control", "max-age="+left)
	h.Set("X-TTL", left)
	h.Set("Age", "0")
	if until := time.UnixMilli(time.Now().UnixMilli() + ttl).UTC(); until.Year() < 10000 {
		h.Set("Expires", string(fasthttp.AppendHTTPDate(nil, until)))
	}
}

func (r *keyRequest) put() {
	h := &r.ctx.Request.Header
	ttl, wrong := ttlOf(string(h.Peek("X-TTL")), string(h.Peek("Cache-Control")))
	if wrong == "" && len(h.Peek("Content-Range")) > 0 {
		wrong = "Content-Range: a value can only be replaced as a whole"
	}
	if wrong != "" {
		r.refuse(fasthttp.StatusBadRequest, wrong)
		return
	}
	value := r.ctx.PostBody()
	set := append(make([][]byte, 0, 6), cmdSet, r.sess.key, value)
	if ttl > 0 {
		r.sess.num = strconv.AppendInt(r.sess.num[:0], ttl, 10)
		set = append(set, wordEX, r.sess.num)
	}
	var there, done bool
	switch {
	case !r.cond.any():
		there, done = r.set(set)
	case r.cond == conditions{noneMatch: "*"}:
		done = r.create(append(set, wordNX))
	default:
		there, done = r.change(set)
	}
	if !done {
		return
	}
	r.ctx.Response.Header.Set("ETag", etagOf(value))
	if there {
		r.ctx.SetStatusCode(fasthttp.StatusNoContent)
	} else {
		r.ctx.SetStatusCode(fasthttp.StatusCreated)
	}
}

// set stores without condition. there says that the key was there right before. done is false when the request is answered.
func (r *keyRequest) set(set [][]byte) (there, done bool) {
	r.sess.begin()
	r.sess.add(cmdExists, r.sess.key)
	r.sess.add(set...)
	replies, ok := r.exec()
	return ok && replies[0].Int > 0, ok
}

// create stores where nothing is.
func (r *keyRequest) create(set [][]byte) (done bool) {
	r.sess.begin()
	r.sess.add(set...)
	replies, ok := r.exec()
	if ok && replies[0].Kind == wire.NullReply {
		r.refuse(fasthttp.StatusPreconditionFailed, "the key is there already")
		return false
	}
	return ok
}

func (r *keyRequest) delete() {
	deleted := false
	if r.cond.any() {
		var done bool
		if deleted, done = r.change([][]byte{cmdDel, r.sess.key}); !done {
			return
		}
	} else {
		r.sess.begin()
		r.sess.add(cmdDel, r.sess.key)
		replies, ok := r.exec()
		if !ok {
			return
		}
		deleted = replies[0].Int > 0
	}
	if deleted {
		r.ctx.SetStatusCode(fasthttp.StatusNoContent)
	} else {
		r.refuse(fasthttp.StatusNotFound, "no such key")
	}
}

// change executes a command if the conditions hold, and nothing has touched the key between looking and executing. there
// says that the key was there. done is false when the request is answered.
func (r *keyRequest) change(command [][]byte) (there, done bool) {
	for range tries {
		etag, ok := r.look()
		if !ok {
			return false, false
		}
		if match, noneMatch := r.cond.hold(etag); !match || !noneMatch {
			r.sess.begin()
			r.sess.add(cmdUnwatch)
			if _, ok := r.exec(); ok {
				r.refuse(fasthttp.StatusPreconditionFailed, "the value does not meet If-Match or If-None-Match")
			}
			return false, false
		}
		r.sess.begin()
		r.sess.add(cmdMulti)
		r.sess.add(command...)
		r.sess.add(cmdExec)
		replies, ok := r.exec()
		if !ok {
			return false, false
		}
		if replies[2].Kind != wire.NullReply {
			return etag != "", r.executed(replies[2])
		}
	}
	r.refuse(fasthttp.StatusConflict, "the key kept changing; try again")
	return false, false
}

// look watches the key and returns the tag of its value, "" if there is none.
func (r *keyRequest) look() (etag string, ok bool) {
	r.sess.begin()
	r.sess.add(cmdWatch, r.sess.key)
	r.sess.add(cmdGet, r.sess.key)
	replies, ok := r.exec()
	if ok && replies[1].Kind != wire.NullReply {
		etag = etagOf(replies[1].Payload)
	}
	return etag, ok
}

// executed answers what went wrong with the command within a transaction.
func (r *keyRequest) executed(reply wire.Reply) bool {
	results, err := reply.Elements()
	if err == nil && len(results) != 1 {
		err = errors.New("a transaction of one command did not give one reply")
	}
	if err != nil {
		r.refuse(fasthttp.StatusInternalServerError, err.Error())
		return false
	}
	if results[0].Kind == wire.ErrorReply {
		r.refuseFor(string(results[0].Payload))
		return false
	}
	return true
}

// exec executes the session's commands. When one cannot be executed it answers the request and returns false.
func (r *keyRequest) exec() ([]wire.Reply, bool) {
	replies, err := r.sess.exec()
	if err != nil {
		r.refuse(fasthttp.StatusServiceUnavailable, err.Error())
		return nil, false
	}
	for _, reply := range replies {
		if reply.Kind == wire.ErrorReply {
			r.sess.broken = len(replies) > 2 // within a transaction, which may be open
			r.refuseFor(string(reply.Payload))
			return nil, false
		}
	}
	return replies, true
}

// refuseFor answers a request whose command got an error reply.
func (r *keyRequest) refuseFor(text string) {
	code := fasthttp.StatusInternalServerError
	switch {
	case hasPrefix(text, "OOM "):
		code = fasthttp.StatusInsufficientStorage
	case hasPrefix(text, "ERR transactions are "):
		code, text = fasthttp.StatusNotImplemented, "conditional PUT and DELETE need transactions: "+text
	case hasPrefix(text, "ERR invalid expire time"):
		code = fasthttp.StatusBadRequest
	}
	r.refuse(code, text)
}

func hasPrefix(s, prefix string) bool { return len(s) >= len(prefix) && s[:len(prefix)] == prefix }

func (r *keyRequest) refuse(code int, text string) { writeError(r.ctx, code, text) }

func (s *Server) fail(ctx *fasthttp.RequestCtx, code int, text string) {
	writeError(ctx, code, text)
	s.count(ctx)
}

func (s *Server) count(ctx *fasthttp.RequestCtx) {
	s.responses[ctx.Response.StatusCode()/100].Add(1)
}

// writeError makes the response an error, in JSON.
func writeError(ctx *fasthttp.RequestCtx, code int, text string) {
	quoted, _ := json.Marshal(text) // of a string it cannot fail
	ctx.SetStatusCode(code)
	ctx.SetContentType(contentJSON)
	ctx.Response.ResetBody()
	ctx.Response.AppendBody(errorPrefix)
	ctx.Response.AppendBody(quoted)
	ctx.Response.AppendBodyString("}\n")
}

// malformed answers what could not be read as a request; fasthttp then closes the connection.
func (s *Server) malformed(ctx *fasthttp.RequestCtx, err error) {
	if c, ok := ctx.Conn().(*conn); ok {
		c.refuse()
	}
	var tooLong *fasthttp.ErrSmallBuffer
	var netErr net.Error
	switch {
	case errors.Is(err, fasthttp.ErrBodyTooLarge):
		s.fail(ctx, fasthttp.StatusRequestEntityTooLarge,
			"value longer than the limit of "+strconv.Itoa(s.opts.MaxValue)+" bytes")
	case errors.As(err, &tooLong):
		s.fail(ctx, fasthttp.StatusRequestHeaderFieldsTooLarge,
			"request line and headers longer than "+strconv.Itoa(s.opts.MaxHeader)+" bytes")
	case errors.As(err, &netErr) && netErr.Timeout() && s.draining.Load():
		s.fail(ctx, fasthttp.StatusServiceUnavailable, "the server is shutting down")
	case errors.As(err, &netErr) && netErr.Timeout():
		s.fail(ctx, fasthttp.StatusRequestTimeout, "the request did not arrive in "+s.opts.ReadTimeout.String())
	default:
		s.fail(ctx, fasthttp.StatusBadRequest, "malformed request")
	}
}
