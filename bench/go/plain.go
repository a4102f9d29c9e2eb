// net/smtp with a connection for each worker: PORT CONNECTIONS FILE. Nothing is durable.
package main

import (
	"bytes"
	"fmt"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"net/smtp"
	"net/textproto"
	"time"
)

func compose(out *bytes.Buffer, number int, order map[string]any) {
	var rendered bytes.Buffer
	must(subject.Execute(&rendered, order))
	to := mail.Address{Name: order["name"].(string), Address: order["email"].(string)}
	parts := multipart.NewWriter(out)
	fmt.Fprintf(out, "From: Example <post@example.com>\r\nTo: %s\r\nSubject: %s\r\nMessage-ID: <%d@example.com>\r\n"+
		"Date: %s\r\nMIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=%s\r\n\r\n",
		to.String(), mime.QEncoding.Encode("utf-8", rendered.String()), number,
		time.Now().Format(time.RFC1123Z), parts.Boundary())
	part := func(kind string, content []byte) {
		head := textproto.MIMEHeader{}
		head.Set("Content-Type", kind+"; charset=utf-8")
		head.Set("Content-Transfer-Encoding", "quoted-printable")
		into, err := parts.CreatePart(head)
		must(err)
		quoted := quotedprintable.NewWriter(into)
		_, err = quoted.Write(content)
		must(err)
		must(quoted.Close())
	}
	rendered.Reset()
	must(text.Execute(&rendered, order))
	part("text/plain", rendered.Bytes())
	rendered.Reset()
	must(html.Execute(&rendered, order))
	part("text/html", rendered.Bytes())
	must(parts.Close())
}

func deliverer(port, connections int) func(<-chan job) {
	return func(jobs <-chan job) {
		client, err := smtp.Dial(fmt.Sprintf("127.0.0.1:%d", port))
		must(err)
		var content bytes.Buffer
		for job := range jobs {
			order := job.order()
			content.Reset()
			compose(&content, job.number, order)
			must(client.Mail("post@example.com"))
			must(client.Rcpt(order["email"].(string)))
			data, err := client.Data()
			must(err)
			_, err = data.Write(content.Bytes())
			must(err)
			must(data.Close())
		}
		must(client.Quit())
	}
}
