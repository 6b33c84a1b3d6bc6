"""Objects in buckets: S3 and what speaks like it, Google Cloud Storage, Azure Blob Storage.

    get_object, put_object, list_objects, delete_object, manage_bucket     the modules
      _providers     their parameters -> a `Store`
        _s3, _gcs, _azure     one class each: what a request of the provider's looks like
          _sigv4, _google, _shared_key     how it is signed
          _wire     one request by httpx: sent again after a drop; errors become ours
    _store     what the modules ask of any provider: `Store`, `Upload`, and what they get
    _manage     what `manage_bucket` asks of any provider besides
    _content, _transfer, _digests     bytes with their checksums; a large object in parts

The modules know `Store` and no provider; a provider knows no file and no parameter.

Why not obstore: it leaves the parts of an upload that is cancelled at the server, puts a large
object under a condition by one request that is all in memory, lists only by whole segments of keys,
shows no checksums and makes no buckets. Why no provider's SDK: there would be three, all of them
large and two of them for threads, where what is needed is a dozen requests of HTTP.
"""
