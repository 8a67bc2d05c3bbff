// Command go-floor does the least that any broker built on Go's net/http must do to match clients with proxies, so
// its CPU time and memory are a lower bound for such brokers. It is not upstream's broker: it decodes no JSON, checks
// nothing, counts nothing, limits nobody and logs nothing. It understands only the messages of the load generator.
package main

import (
	"bytes"
	"flag"
	"io"
	"log"
	"net/http"
	"sync"
	"time"
)

const (
	bodyLimit     = 100_000
	proxyTimeout  = 10 * time.Second
	clientTimeout = 5 * time.Second
)

// A match goes from the client to the proxy that takes it.
type match struct {
	offer  []byte      // a JSON string without its quotes, as the client wrote it
	answer chan []byte // likewise; has room for one, so that an answer never waits
}

var (
	matches   = make(chan match)
	plainText = []string{"text/plain; charset=utf-8"}

	mutex   sync.Mutex
	answers = make(map[string]chan []byte) // by session id
)

// cut returns what stands between the first `before` and the `after` that follows it.
func cut(text []byte, before, after string) []byte {
	_, rest, _ := bytes.Cut(text, []byte(before))
	found, _, _ := bytes.Cut(rest, []byte(after))
	return found
}

// handle gives the body of each request to reply.
func handle(path string, reply func(w http.ResponseWriter, body []byte)) {
	http.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, bodyLimit))
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		w.Header()["Content-Type"] = plainText
		reply(w, body)
	})
}

func poll(w http.ResponseWriter, body []byte) {
	timer := time.NewTimer(proxyTimeout)
	defer timer.Stop()
	select {
	case m := <-matches:
		mutex.Lock()
		answers[string(cut(body, `"Sid":"`, `"`))] = m.answer
		mutex.Unlock()
		io.WriteString(w, `{"Status":"client match","Offer":"`)
		w.Write(m.offer)
		io.WriteString(w, `","NAT":"unknown","NextPoll":19999,"RelayURL":"wss://snowflake.torproject.net/"}`)
	case <-timer.C:
		io.WriteString(w, `{"Status":"no match","Offer":"","NAT":"","NextPoll":9999,"RelayURL":""}`)
	}
}

func offer(w http.ResponseWriter, body []byte) {
	m := match{cut(body, `"offer":"`, `","nat"`), make(chan []byte, 1)}
	select {
	case matches <- m:
	default:
		io.WriteString(w, `{"error":"no snowflake proxies currently available"}`)
		return
	}
	timer := time.NewTimer(clientTimeout)
	defer timer.Stop()
	select {
	case answer := <-m.answer:
		io.WriteString(w, `{"answer":"`)
		w.Write(answer)
		io.WriteString(w, `"}`)
	case <-timer.C:
		io.WriteString(w, `{"error":"timed out waiting for answer!"}`)
	}
}

func answer(w http.ResponseWriter, body []byte) {
	sid := string(cut(body, `"Sid":"`, `"`))
	mutex.Lock()
	waiting, found := answers[sid]
	delete(answers, sid)
	mutex.Unlock()
	if !found {
		io.WriteString(w, `{"Status":"client gone"}`)
		return
	}
	_, rest, _ := bytes.Cut(body, []byte(`"Answer":"`))
	waiting <- bytes.TrimSuffix(rest, []byte(`"}`))
	io.WriteString(w, `{"Status":"success"}`)
}

func main() {
	addr := flag.String("addr", "127.0.0.1:8080", "listen address")
	cert := flag.String("cert", "", "certificate; HTTP/1.1 and HTTP/2 over TLS then")
	key := flag.String("key", "", "its private key")
	flag.Bool("disable-tls", false, "plain HTTP/1.1, as without -cert")
	flag.Parse()
	handle("/proxy", poll)
	handle("/client", offer)
	handle("/answer", answer)
	if *cert != "" {
		log.Fatal(http.ListenAndServeTLS(*addr, *cert, *key, nil))
	}
	log.Fatal(http.ListenAndServe(*addr, nil))
}
