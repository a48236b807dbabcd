using System.Runtime.CompilerServices;

using DataHub.Catalog;
using DataHub.Feeds;
using DataHub.Governance;
using DataHub.Indicators;

namespace DataHub.Pipelines;

/// <summary>Reads the rows of a dataset as they stood at a watermark, in the order of time and key.</summary>
internal sealed class DatasetTables(IGrainFactory grains, ILogStore log, IHistoryStore history, IContractSource contracts, AuditTrail trail, TimeProvider time)
{
    /// <summary>What somebody may read of a dataset, and as which columns.</summary>
    /// <exception cref="StepException">Nothing.</exception>
    public async Task<DatasetTable> OpenAsync(Caller caller, string id, int contractVersion)
    {
        if (await grains.GetGrain<IDatasetGrain>(id).GetAsync(caller) is not { } dataset) throw new StepException(new($"Einen Datensatz „{id}“ gibt es nicht.", $"There is no dataset “{id}”."));
        var decision = AccessRules.Decide(caller, AccessRights.ReadRows, dataset.Holding);
        if (!decision.IsAllowed)
        {
            var missing = AccessRules.Missing(AccessRights.ReadRows, dataset.Holding);
            throw new StepException(new($"Die Zeilen von „{id}“ darf der Job nicht lesen. {missing.De}", $"The job may not read the rows of “{id}”. {missing.In("en")}"));
        }

        var contract = await contracts.GetAsync(id, contractVersion);
        var all = AccessRules.May(caller, AccessRights.ReadReceipts, dataset.Holding);
        // What is personal by now is not told as it was when it was not.
        var personal = dataset.Spec.Schema.Fields.Where(field => field.Role == FieldRole.Personal).Select(field => field.Name).ToHashSet(StringComparer.Ordinal);
        var fields = contract.Fields.Where(field => all || (field.Role != FieldRole.Personal && !personal.Contains(field.Name))).ToArray();
        return new(dataset, decision, contract, fields, [.. fields.Select(field => new TableColumn(field.Name, TableColumn.Travelling(field.Type)))], fields.Any(field => field.Role == FieldRole.Personal || personal.Contains(field.Name)));
    }

    /// <summary>The rows, batch by batch.</summary>
    /// <param name="span">Of their time; its end does not belong to it.</param>
    public async IAsyncEnumerable<RowBlock> ReadAsync(DatasetTable table, Caller caller, Watermark watermark, (DateTimeOffset From, DateTimeOffset To) span, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (await log.IncarnationAsync(cancellationToken) != watermark.Incarnation)
        {
            throw new StepException(new(
                $"Der Bestand wurde seither aus einer Sicherung wiederhergestellt; die Zeilen von „{table.Dataset.Id}“, die festgelegt waren, gibt es so nicht mehr. Einen neuen Lauf starten.",
                $"The hub was restored from a backup since; the rows of “{table.Dataset.Id}” that were pinned are not there any more. Start a new run."));
        }

        var past = new PastRows(history, contracts);
        for (var p = 0; p < table.Dataset.Partitions.Length; p++)
        {
            var partition = table.Dataset.Partitions[p].Key;
            if (await grains.GetGrain<IHistoryGrain>(partition).ReachAsync(watermark.Sequences[p]) < watermark.Sequences[p])
                throw new StepException(new($"Die Historie von „{table.Dataset.Id}“ ist noch nicht so weit.", $"History of “{table.Dataset.Id}” has not come that far."), isTransient: true);
            var query = new VersionQuery(
                watermark.Sequences[p], span.From == DateTimeOffset.MinValue ? long.MinValue : span.From.UtcTicks, span.To == DateTimeOffset.MaxValue ? long.MaxValue : span.To.UtcTicks, null, null, PastRows.ChunkRows);
            await foreach (var versions in past.ReadAsync(partition, query, int.MaxValue).WithCancellation(cancellationToken))
            {
                // Durable before the first row is used.
                if (AuditEvents.RowsGiven(time.GetUtcNow(), caller, table.Decision, table.Dataset, versions.Count, watermark.ToString()) is { } noted) await trail.RecordAsync(noted);
                var rows = RowPacking.Unpack(table.Contract, [.. versions.Select(version => (version.Row.Values, version.Row.Area))]);
                yield return new() { Count = rows.Count, Columns = [.. table.Fields.Select(field => Travelling(field, rows.Columns[field.Ordinal]))] };
            }
        }
    }

    /// <summary>Values of a field as they travel: months and the like as their text.</summary>
    private static Column Travelling(CompiledField field, Column column)
    {
        if (field.Type != FieldType.YearMonth) return column;
        var texts = new string?[column.Length];
        for (var i = 0; i < texts.Length; i++)
            texts[i] = column.IsNull(i) ? null : string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{column.Integers![i] / 12:0000}-{(column.Integers[i] % 12) + 1:00}");
        return Column.OfTexts(texts);
    }
}

/// <param name="Fields">That may be read, in their order.</param>
/// <param name="IsPersonal">Whether personal ones are among them.</param>
internal sealed record DatasetTable(DatasetInfo Dataset, AccessDecision Decision, CompiledContract Contract, CompiledField[] Fields, TableColumn[] Columns, bool IsPersonal);
