"""Objects in buckets: S3 and what speaks like it, Google Cloud Storage, Azure Blob Storage.

    get_object, put_object, list_objects, delete_object, manage_bucket     the modules
      _providers     their parameters -> a `Store`
        _s3, _gcs, _azure     one class each: what a request of the provider's looks like
          _sigv4 ...     how it is signed
          _wire     one request by httpx: sent again after a drop; errors become ours
    _store     what the modules ask of any provider: `Store`, `Upload`, and what they get
    _content, _transfer     bytes with their checksums; a large object in parts

The modules know `Store` and no provider; a provider knows no file and no parameter.

Why no SDK of a provider's and not obstore: neither can abort the parts of an upload that is
cancelled, put a large object under a condition, list keys by any prefix or with an empty segment,
make a bucket, or be seen by the guards of the tests; all that is left are a few requests of HTTP.
"""
