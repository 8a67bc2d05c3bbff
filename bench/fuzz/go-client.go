// Sends random requests over HTTP/2 to an echoing server until its time is up: URL SEED SECONDS. Ends with status 0 if
// all answers were right, else with what was wrong.
package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"
)

// What /long answers, in bytes.
const long = 2_000_000

// The longest body that the server takes.
const longest = 100_000

var lengths = []int{0, 1, 100, 2048, 16_383, 16_384, 16_385, 65_535, 65_536, 99_999, longest}

func main() {
	url := os.Args[1]
	seed := must(strconv.ParseUint(os.Args[2], 10, 64))
	end := time.Now().Add(time.Duration(must(strconv.Atoi(os.Args[3]))) * time.Second)
	total := 0
	for round := uint64(0); time.Now().Before(end); round++ {
		total += play(url, rand.New(rand.NewPCG(seed, round)))
	}
	fmt.Println(total)
}

// One connection with a random number of random requests, a few of them at a time. Returns their number.
func play(url string, random *rand.Rand) int {
	transport := &http.Transport{
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: true},
		ForceAttemptHTTP2: true,
		HTTP2: &http.HTTP2Config{
			MaxReceiveBufferPerStream:     16_384 << random.IntN(8),
			MaxReceiveBufferPerConnection: 65_536 << random.IntN(6),
			MaxReadFrameSize:              16_384 << random.IntN(5),
			MaxDecoderHeaderTableSize:     []int{1, 100, 4096, 65_536}[random.IntN(4)],
			MaxEncoderHeaderTableSize:     []int{1, 100, 4096, 65_536}[random.IntN(4)],
		},
	}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: 20 * time.Second}
	requests := 1 + random.IntN(200)
	places := make(chan struct{}, 1+random.IntN(60))
	var group sync.WaitGroup
	for n := 0; n < requests; n++ {
		places <- struct{}{}
		group.Add(1)
		own := rand.New(rand.NewPCG(random.Uint64(), uint64(n)))
		go func() {
			defer group.Done()
			ask(client, url, own)
			<-places
		}()
	}
	group.Wait()
	return requests
}

func ask(client *http.Client, url string, random *rand.Rand) {
	switch random.IntN(10) {
	case 0:
		askLong(client, url, random)
	case 1:
		giveUp(client, url, random)
	case 2, 3:
		request := must(http.NewRequest("GET", url+"echo-field", nil))
		addFields(request, random)
		value := text(random, 1+random.IntN(3000))
		request.Header.Set("X-Echo", value)
		expect(string(read(must(client.Do(request)))), value)
	default:
		length := lengths[random.IntN(len(lengths))]
		body := make([]byte, length)
		for n := range body {
			body[n] = byte(random.Uint32())
		}
		request := must(http.NewRequest("POST", url+"echo", pieces(body, random)))
		if random.IntN(2) == 0 {
			request.ContentLength = int64(length)
		}
		addFields(request, random)
		expect(bytes.Equal(read(must(client.Do(request))), body), true)
	}
}

// Reads a long reply whole, or leaves it.
func askLong(client *http.Client, url string, random *rand.Rand) {
	response := must(client.Get(url + "long"))
	defer response.Body.Close()
	if random.IntN(2) == 0 {
		must(io.CopyN(io.Discard, response.Body, int64(random.IntN(long))))
		return
	}
	expect(must(io.Copy(io.Discard, response.Body)), long)
}

// Gives up a request that waits.
func giveUp(client *http.Client, url string, random *rand.Rand) {
	short, cancel := context.WithTimeout(context.Background(), time.Duration(random.IntN(20))*time.Millisecond)
	defer cancel()
	_, err := client.Do(must(http.NewRequestWithContext(short, "GET", url+"wait", nil)))
	expect(err != nil, true)
}

// A body that comes in pieces.
func pieces(body []byte, random *rand.Rand) io.Reader {
	reader, writer := io.Pipe()
	at := make([]int, random.IntN(6))
	for n := range at {
		at[n] = random.IntN(len(body) + 1)
	}
	go func() {
		rest := body
		for _, n := range at {
			n = min(n, len(rest))
			if n > 0 {
				writer.Write(rest[:n])
			}
			rest = rest[n:]
		}
		writer.Write(rest)
		writer.Close()
	}()
	return reader
}

// Fields that nobody asks for, some of them again and again.
func addFields(request *http.Request, random *rand.Rand) {
	for n := random.IntN(12); n > 0; n-- {
		request.Header.Add("X-"+strconv.Itoa(random.IntN(20)), text(random, random.IntN(60)))
	}
}

func text(random *rand.Rand, length int) string {
	chars := make([]byte, length)
	for n := range chars {
		chars[n] = byte('!' + random.IntN('~'-'!'+1))
	}
	return string(chars)
}

func read(response *http.Response) []byte {
	defer response.Body.Close()
	expect(response.StatusCode, 200)
	expect(response.ProtoMajor, 2)
	return must(io.ReadAll(response.Body))
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func expect[T comparable](got, want T) {
	if got != want {
		panic(fmt.Sprintf("got %v, want %v", got, want))
	}
}
