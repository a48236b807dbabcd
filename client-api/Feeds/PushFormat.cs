namespace DataHub.Feeds;

/// <summary>The formats that a push may come in.</summary>
public enum PushFormat
{
    /// <summary><c>application/json</c>: an array of objects, or one object.</summary>
    Json,

    /// <summary><c>application/x-ndjson</c>: one object a line.</summary>
    NdJson,

    /// <summary><c>text/csv</c>: a header with the fields' names, then one row a record.</summary>
    Csv,

    /// <summary><c>application/vnd.msgpack</c>: an array of maps, one map, or <c>{ "columns": { … } }</c>.</summary>
    MessagePack,
}
