using DataHub.Catalog;
using DataHub.Feeds;

namespace DataHub.Pipelines;

/// <summary>Rows of a table into a dataset, by the very way of every push.</summary>
internal sealed class PushedRows(PushService pushes) : IRowTarget
{
    public async Task<RowsWritten> WriteAsync(RowsToWrite rows, Action<long> written, CancellationToken cancellationToken)
    {
        string[] names = [.. rows.Columns.Select(column => column.Name)];
        FieldType[] types = [.. rows.Columns.Select(column => column.Type)];
        var answer = await pushes.PushTableAsync(
            new(rows.Caller, rows.Dataset, rows.Feed, PushFormat.MessagePack, default, rows.Sha256) { IdempotencyKey = rows.Key, Run = rows.By },
            rows.Rows, rows.Batches,
            async number =>
            {
                var batch = await rows.Batch(number);
                return context => TablePush.Decode(context, names, types, batch, (number * TableCodec.BatchRows) + 1);
            },
            number => written((number + 1L) * TableCodec.BatchRows), cancellationToken);
        if (answer.Refusal != PushRefusal.None) throw Refused(rows, answer);
        var receipt = answer.Receipt!;
        return new(receipt.Receipt!, receipt.Counts, receipt.Watermark, receipt.Errors);
    }

    public static StepException NoDataset(string dataset) => new(new($"Einen Datensatz „{dataset}“ gibt es nicht.", $"There is no dataset “{dataset}”."));

    public static StepException Forbidden(string dataset) => new(new($"In „{dataset}“ darf der Job nicht schreiben.", $"The job may not write into “{dataset}”."));

    public static StepException Retired(string dataset) => new(new($"Der Datensatz „{dataset}“ ist stillgelegt.", $"The dataset “{dataset}” is retired."));

    public static StepException Frozen(string dataset, string? agreement) => new(new(
        $"Der Datensatz „{dataset}“ nimmt keine Zeilen mehr, seit die Vereinbarung „{agreement}“ zu Ende ist.", $"The dataset “{dataset}” takes no rows any more since the agreement “{agreement}” is over."));

    private static StepException Refused(RowsToWrite rows, PushAnswer answer) => answer.Refusal switch
    {
        PushRefusal.NoDataset => NoDataset(rows.Dataset),
        PushRefusal.NoFeed => new(new($"Der Datensatz „{rows.Dataset}“ hat keine Datenquelle „{rows.Feed}“.", $"The dataset “{rows.Dataset}” has no feed “{rows.Feed}”.")),
        PushRefusal.Forbidden => Forbidden(rows.Dataset),
        PushRefusal.Retired => Retired(rows.Dataset),
        PushRefusal.Frozen => Frozen(rows.Dataset, answer.Detail),
        PushRefusal.KeyReused => new(new(
            $"Dieser Lauf hat in „{rows.Dataset}“ schon eine andere Tabelle geschrieben; einen neuen Lauf starten.", $"This run has written another table into “{rows.Dataset}” already; start a new run.")),
        PushRefusal.LargerThanQuota => new(new(
            $"Die Tabelle hat mehr Zeilen, als die Datenquelle „{rows.Feed}“ an einem Tag bringen darf.", $"The table has more rows than the feed “{rows.Feed}” may bring in a day.")),
        PushRefusal.OverQuota => new(new($"Das Kontingent der Datenquelle „{rows.Feed}“ ist aufgebraucht.", $"The quota of the feed “{rows.Feed}” is used up."), isTransient: true),
        PushRefusal.Undecodable => new(answer.Body!.Detail),
        _ => new(new($"„{rows.Dataset}“ antwortet gerade nicht ({answer.Detail}).", $"“{rows.Dataset}” does not answer at the moment ({answer.Detail})."), isTransient: true),
    };
}
