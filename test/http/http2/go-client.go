// Asks an echoing server with HTTP/2 what its argument says, and ends with status 0 if all answers were right.
package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"
)

func main() {
	url := os.Args[1]
	transport := &http.Transport{
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: true},
		ForceAttemptHTTP2: true,
	}
	client := &http.Client{Transport: transport, Timeout: 20 * time.Second}
	var group sync.WaitGroup
	for n := 0; n < 600; n++ {
		group.Add(1)
		go func() {
			defer group.Done()
			echo(client, url, bytes.Repeat([]byte{byte(n)}, n*n%100_001), n%3 == 0)
		}()
	}
	group.Wait()
	printable := ""
	for c := '!'; c <= '~'; c++ {
		printable += string(c)
	}
	request := must(http.NewRequest("GET", url+"echo-field", nil))
	request.Header.Set("x-echo", printable)
	for n := 0; n < 3; n++ {
		expect(string(read(must(client.Do(request)))), printable)
	}
	expect(len(read(must(client.Get(url+"long")))), 2_000_000)
	head := must(client.Head(url + "long"))
	expect(head.ContentLength, int64(2_000_000))
	tooLong := must(client.Post(url+"echo", "", strings.NewReader(strings.Repeat("x", 300_000))))
	expect(string(read(tooLong)), "too-long")
	waiting, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	_, err := client.Do(must(http.NewRequestWithContext(waiting, "GET", url+"wait", nil)))
	expect(err != nil, true)
	echo(client, url, []byte("after all"), false)
	fmt.Println("ok")
}

func echo(client *http.Client, url string, body []byte, unknownLength bool) {
	var reader io.Reader = bytes.NewReader(body)
	if unknownLength {
		reader = io.MultiReader(reader)
	}
	response := must(client.Post(url+"echo", "application/octet-stream", reader))
	expect(response.ProtoMajor, 2)
	if !bytes.Equal(read(response), body) {
		panic("other bytes came back")
	}
}

func read(response *http.Response) []byte {
	defer response.Body.Close()
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
