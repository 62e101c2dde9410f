"""Text in which drawings stand: plain files, web pages, Markdown, fortunes, telnet films."""
