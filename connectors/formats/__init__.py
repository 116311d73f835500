"""What connectors of one format share: cutting a record of XML or JSON, and reading a piece."""
