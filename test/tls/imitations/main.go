// Asks a broker over TLS as Snowflake clients do that imitate a browser's TLS (`utls-imitate`), each imitation with and
// without a server name. Prints a line for each: its name, what was negotiated, and the replies.
package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	utls "github.com/refraction-networking/utls"
	"golang.org/x/net/http2"
)

// What a client can name, and newer browsers.
var imitations = []utls.ClientHelloID{
	utls.HelloRandomizedALPN,
	utls.HelloRandomizedNoALPN,
	utls.HelloFirefox_Auto,
	utls.HelloFirefox_55,
	utls.HelloFirefox_56,
	utls.HelloFirefox_63,
	utls.HelloFirefox_65,
	utls.HelloChrome_Auto,
	utls.HelloChrome_58,
	utls.HelloChrome_62,
	utls.HelloChrome_70,
	utls.HelloChrome_72,
	utls.HelloChrome_83,
	utls.HelloChrome_120,
	utls.HelloIOS_Auto,
	utls.HelloIOS_11_1,
	utls.HelloIOS_12_1,
	utls.HelloSafari_Auto,
	utls.HelloEdge_Auto,
	utls.HelloAndroid_11_OkHttp,
}

// Requests of one connection.
const requests = 3

const limit = 10 * time.Second

// A randomized hello can offer a group that the library itself can't do. A client then tries again, with another hello.
const ownFault = "tls: CurvePreferences includes unsupported curve"

const tries = 20

func main() {
	address := os.Args[1]
	for _, imitation := range imitations {
		for _, named := range []bool{true, false} {
			outcome, err := ask(address, imitation, named)
			for try := 1; try < tries && err != nil && err.Error() == ownFault; try++ {
				outcome, err = ask(address, imitation, named)
			}
			if err != nil {
				outcome = err.Error()
			}
			name := map[bool]string{true: "named", false: "unnamed"}[named]
			fmt.Printf("%s %s %s\n", imitation.Str(), name, outcome)
		}
	}
}

func ask(address string, imitation utls.ClientHelloID, named bool) (string, error) {
	tcp, err := net.DialTimeout("tcp", address, limit)
	if err != nil {
		return "", err
	}
	defer tcp.Close()
	tcp.SetDeadline(time.Now().Add(limit))
	config := &utls.Config{ServerName: "localhost", InsecureSkipVerify: true}
	connection := utls.UClient(tcp, config, imitation)
	if !named {
		if err := connection.RemoveSNIExtension(); err != nil {
			return "", err
		}
	}
	if err := connection.Handshake(); err != nil {
		return "", err
	}
	protocol := connection.ConnectionState().NegotiatedProtocol
	roundTrip := overHTTP1(connection)
	if protocol == "h2" {
		client, err := (&http2.Transport{}).NewClientConn(connection)
		if err != nil {
			return "", err
		}
		roundTrip = client.RoundTrip
	}
	replies := make([]string, requests)
	for n := range replies {
		if replies[n], err = post(roundTrip, address); err != nil {
			return "", err
		}
	}
	version := strings.ReplaceAll(utls.VersionName(connection.ConnectionState().Version), " ", "")
	if protocol == "" {
		protocol = "none"
	}
	return fmt.Sprintf("%s %s %s", version, protocol, strings.Join(replies, " ")), nil
}

type roundTrip func(*http.Request) (*http.Response, error)

func overHTTP1(connection net.Conn) roundTrip {
	reader := bufio.NewReader(connection)
	return func(request *http.Request) (*http.Response, error) {
		if err := request.Write(connection); err != nil {
			return nil, err
		}
		return http.ReadResponse(reader, request)
	}
}

func post(send roundTrip, address string) (string, error) {
	request, err := http.NewRequest("POST", "https://"+address+"/client", strings.NewReader("1.0\n{}"))
	if err != nil {
		return "", err
	}
	response, err := send(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return strings.ReplaceAll(string(body), " ", "_"), err
}
