using System.Globalization;
using System.Text;
using System.Text.Json;

using DataHub.Catalog;

namespace DataHub.Feeds;

/// <summary>What belongs to an erasure, and what a batch is without it (design §2.3). Pure.</summary>
internal static class ErasureRules
{
    public const int MostFields = 8;
    public const int LongestText = 1_000;

    /// <summary>Shorter values stand in texts by chance; only a field that is exactly such a value counts.</summary>
    private const int ShortestTelling = 4;

    /// <summary>Reads the values looked for.</summary>
    /// <returns>The conditions, or what is wrong with them.</returns>
    /// <param name="mayAll">Whether all rows may be asked for.</param>
    public static (ErasureCondition[]? Where, LocalText? Fault) Read(ErasureRequest request, CompiledContract contract, bool mayAll = false)
    {
        if (mayAll && request.IsEverything) return ([], null);
        if (request.Where.Length is 0 or > MostFields) return (null, new($"where: 1 bis {MostFields} Felder.", $"where: 1 to {MostFields} fields."));
        if (request.Reason.Length is 0 or > LongestText) return (null, new($"reason: 1 bis {LongestText} Zeichen.", $"reason: 1 to {LongestText} characters."));
        if (request.Authority.Length is 0 or > LongestText) return (null, new($"authority: 1 bis {LongestText} Zeichen.", $"authority: 1 to {LongestText} characters."));
        if (request.Where.FirstOrDefault(w => w.Text.Length >= ShortestTelling && (request.Reason + request.Authority).Contains(w.Text, StringComparison.Ordinal)) is { Text: not null } named)
            return (null, new($"where.{named.Field}: Der gesuchte Wert steht in reason oder authority; diese bleiben stehen.", $"where.{named.Field}: The value looked for stands in reason or authority; these remain."));
        var conditions = new ErasureCondition[request.Where.Length];
        for (var i = 0; i < conditions.Length; i++)
        {
            var (name, text) = request.Where[i];
            var ordinal = contract.OrdinalOf(name);
            if (ordinal < 0) return (null, new($"where.{name}: Dieses Feld gibt es im Vertrag nicht.", $"where.{name}: There is no such field in the contract."));
            if (text.Length == 0) return (null, new($"where.{name}: Ein leerer Wert bezeichnet niemanden.", $"where.{name}: An empty value is nobody's."));
            var fault = contract.Fields[ordinal].Read(text, new TextPool(), out var value);
            if (!fault.IsNone && fault.Code is RowErrorCodes.NotANumber or RowErrorCodes.NotAnInteger or RowErrorCodes.NotADate or RowErrorCodes.NotADateTime or RowErrorCodes.NotAUuid)
                return (null, new($"where.{name}: Der Wert hat nicht den Typ des Feldes.", $"where.{name}: The value is not of the field's type."));
            conditions[i] = new(name, ordinal, text, fault.IsNone ? value : new() { Text = text });
        }

        return (conditions, null);
    }

    /// <summary>Whether a row has all the values.</summary>
    public static bool Matches(RowBlock block, int row, ErasureCondition[] where)
    {
        foreach (var condition in where)
        {
            if (condition.Ordinal >= block.Columns.Length || !Equals(block.Columns[condition.Ordinal], row, condition.Value)) return false;
        }

        return true;

        static bool Equals(Column column, int row, FieldValue value) => !column.IsNull(row) && column.Kind switch
        {
            ColumnKind.Text => column.Texts![row] == value.Text,
            ColumnKind.Number => column.Numbers![row] == value.Number,
            ColumnKind.Integer => column.Integers![row] == value.Integer,
            _ => column.Booleans![row] == value.Integer,
        };
    }

    /// <summary>Whether a quarantined row names the values: all of them where it can be read, as a field of that name or under any other.</summary>
    public static bool Matches(string raw, ErasureCondition[] where)
    {
        if (raw.Length == 0) return false;
        try
        {
            using var document = JsonDocument.Parse(raw);
            if (document.RootElement.ValueKind == JsonValueKind.Object)
            {
                var members = document.RootElement.EnumerateObject().Select(member => (member.Name, Text: Text(member.Value))).ToArray();
                return Array.TrueForAll(where, condition => Array.Exists(members, member => Names(member.Name, member.Text, condition)));
            }

            raw = Text(document.RootElement);
        }
        catch (JsonException)
        {
            // Kept as it came all the same; then only the text can be looked through.
        }

        return Array.TrueForAll(where, condition => Contains(raw, condition.Text));

        static bool Names(string name, string text, ErasureCondition condition) =>
            text == condition.Text && (name == condition.Field || condition.Text.Length >= ShortestTelling)
            || (condition.Text.Length >= ShortestTelling && Contains(text, condition.Text));

        static string Text(JsonElement value) => value.ValueKind == JsonValueKind.String ? value.GetString()! : value.GetRawText();
    }

    /// <summary>Whether a text tells of the value: as it is, or behind the escapes of JSON and the doubled quotes of CSV, which nothing has read where a row is broken.</summary>
    private static bool Contains(string text, string value) =>
        text.Contains(value, StringComparison.Ordinal) || (text.AsSpan().ContainsAny('\\', '"') && Unescaped(text).Contains(value, StringComparison.Ordinal));

    private static string Unescaped(string text)
    {
        var plain = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            var next = i + 1 < text.Length ? text[i + 1] : '\0';
            if (text[i] == '\\' && next == 'u' && i + 6 <= text.Length && ushort.TryParse(text.AsSpan(i + 2, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var unit))
            {
                plain.Append((char)unit);
                i += 5;
            }
            else if ((text[i] == '\\' && next is '"' or '\\' or '/') || (text[i] == '"' && next == '"'))
            {
                plain.Append(next);
                i++;
            }
            else
            {
                plain.Append(text[i]);
            }
        }

        return plain.ToString();
    }

    /// <summary>A batch without the content of an erasure, and what of it history holds; null where nothing of it is in the batch.</summary>
    /// <param name="contract">That of the batch.</param>
    /// <param name="keys">Keys whose rows go, each up to the sequence of its retraction.</param>
    /// <param name="quarantined">Quarantined rows that go, by sequence and index.</param>
    /// <param name="where">What the erasure looks for.</param>
    public static BatchErasure? Erase(
        LogBatch batch, CompiledContract contract, IReadOnlyDictionary<byte[], long> keys, IReadOnlySet<(long Sequence, int Index)> quarantined, ErasureCondition[] where, string erasure)
    {
        var kept = new List<int>(batch.Rows.Count);
        var versions = new List<(long, byte[], long)>();
        var series = new List<byte[]>();
        for (var row = 0; row < batch.Rows.Count; row++)
        {
            var key = RowKeys.Key(contract, batch.Rows, row);
            if (!keys.TryGetValue(key, out var until) || batch.Sequence > until)
            {
                kept.Add(row);
                continue;
            }

            if (batch.Changes[row] == RowChange.Retraction) continue;
            versions.Add((contract.TimeTicks(batch.Rows, row), key, batch.Sequence));
            // Where new rows are told by their series, it goes once nothing is left of it (ErasuresGrain); elsewhere nobody asks for it.
            if (!contract.KeyIsSeriesAndTime && RowKeys.Series(contract, batch.Rows, row) is { } name) series.Add(name);
        }

        var erasedRows = batch.Rows.Count - kept.Count;
        var places = Enumerable.Range(0, batch.Quarantined.Length).Where(i => !batch.Quarantined[i].IsErased && quarantined.Contains((batch.Sequence, i))).ToArray();
        var act = batch.Act is null ? null : Erase(batch.Act, quarantined, where);
        if (erasedRows == 0 && places.Length == 0 && act == batch.Act) return null;

        var befores = kept.Where(row => batch.BeforeOf[row] >= 0).Select(row => batch.BeforeOf[row]).Distinct().Order().ToArray();
        var numbers = places.Select(i => batch.Quarantined[i].Row).ToHashSet();
        return new(
            new()
            {
                Shard = batch.Shard,
                Position = batch.Position,
                Partition = batch.Partition,
                Sequence = batch.Sequence,
                ReceivedAt = batch.ReceivedAt,
                Kind = batch.Kind,
                ContractVersion = batch.ContractVersion,
                AreaVersion = batch.AreaVersion,
                Rows = erasedRows == 0 ? batch.Rows : kept.Count == 0 ? RowBlock.Empty : batch.Rows.Take([.. kept]),
                Changes = [.. kept.Select(row => batch.Changes[row])],
                BeforeOf = [.. kept.Select(row => batch.BeforeOf[row] < 0 ? -1 : Array.BinarySearch(befores, batch.BeforeOf[row]))],
                Befores = befores.Length == 0 ? RowBlock.Empty : batch.Befores.Take(befores),
                Push = batch.Push is null ? null : batch.Push with { Errors = Array.ConvertAll(batch.Push.Errors, error => numbers.Contains(error.Row) ? error with { Value = null } : error) },
                Quarantined = [.. batch.Quarantined.Select((row, i) => places.Contains(i) ? Erased(row) : row)],
                Act = act,
                Erased = new((batch.Erased?.Rows ?? 0) + erasedRows, [.. (batch.Erased?.Erasures ?? []).Append(erasure).Distinct(StringComparer.Ordinal)]),
            },
            versions, series, [.. places.Select(i => (batch.Sequence, i))], erasedRows);
    }

    private static QuarantinedRow Erased(QuarantinedRow row) => new(row.Row, Array.ConvertAll(row.Errors, error => error with { Value = null }), QuarantinedRow.ErasedRaw);

    /// <summary>The same act where nothing of the erasure is in it.</summary>
    private static QuarantineAct Erase(QuarantineAct act, IReadOnlySet<(long Sequence, int Index)> quarantined, ErasureCondition[] where)
    {
        var rows = act.Rows.Any(row => row.Corrected is not null && quarantined.Contains((row.Sequence, row.Index)))
            ? Array.ConvertAll(act.Rows, row => quarantined.Contains((row.Sequence, row.Index)) ? row with { Corrected = null } : row)
            : act.Rows;
        var rule = act.Rule is not null && Array.Exists(where, condition => Contains(act.Rule, condition.Text)) ? null : act.Rule;
        var reason = act.Reason is not null && Array.Exists(where, condition => condition.Text.Length >= ShortestTelling && Contains(act.Reason, condition.Text)) ? null : act.Reason;
        return ReferenceEquals(rows, act.Rows) && rule == act.Rule && reason == act.Reason ? act : act with { Rows = rows, Rule = rule, Reason = reason };
    }

    /// <summary>The series of rows, where new rows are told by it and a key names it.</summary>
    public static IEnumerable<byte[]> Series(CompiledContract contract, RowBlock rows) =>
        contract.KeyIsSeriesAndTime ? Enumerable.Range(0, rows.Count).Select(row => RowKeys.Series(contract, rows, row)!) : [];
}

/// <summary>A value looked for.</summary>
/// <param name="Text">As the request wrote it.</param>
internal sealed record ErasureCondition(string Field, int Ordinal, string Text, FieldValue Value);

/// <summary>A batch without what was erased, and what of that history holds.</summary>
/// <param name="Rows">How many of the batch's rows were taken out.</param>
internal sealed record BatchErasure(
    LogBatch Batch, IReadOnlyList<(long Time, byte[] Key, long From)> Versions, IReadOnlyList<byte[]> Series, IReadOnlyList<(long Sequence, int Index)> Quarantined, int Rows);
