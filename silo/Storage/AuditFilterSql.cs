using System.Collections.Concurrent;
using System.Globalization;
using System.Text;

using DataHub.Governance;

namespace DataHub.Storage;

/// <summary>
/// The statement for a query of the audit log, with only the conditions that it has: an index serves a condition that stands
/// there, not one that may be switched off. Every text is made once and is then the same object.
/// </summary>
/// <remarks>
/// Parameters have fixed places: 1 chain, 2 from, 3 until, 4 begin and 5 end of the action, 6 agency, 7 actor, 8 object,
/// 9 outcome, 10 place, 11 limit.
/// </remarks>
/// <param name="mark">What a parameter begins with.</param>
internal sealed class AuditFilterSql(char mark)
{
    private static readonly string[] s_conditions = ["at >= @2", "at < @3", "action >= @4 AND action < @5", "agency = @6", "actor = @7", "object = @8", "outcome = @9"];

    private readonly ConcurrentDictionary<int, string> _made = new();

    public string Of(AuditQuery query)
    {
        var (has, key) = (new bool[] { query.From is not null, query.Until is not null, query.Action is not null, query.Agency is not null, query.Actor is not null, query.Object is not null, query.Outcome is not null }, query.OldestFirst ? 1 : 0);
        for (var i = 0; i < has.Length; i++) key |= has[i] ? 2 << i : 0;
        return _made.GetOrAdd(key, _ => Make(has, query.OldestFirst));
    }

    private string Make(bool[] has, bool oldestFirst)
    {
        var sql = new StringBuilder("SELECT sequence, link, leaf, salt, content, id, at, action, agency, actor, object, outcome FROM audit_entry WHERE chain = @1");
        for (var i = 0; i < has.Length; i++)
        {
            if (has[i]) sql.Append(CultureInfo.InvariantCulture, $" AND {s_conditions[i]}");
        }

        sql.Append(oldestFirst ? " AND sequence > @10 ORDER BY sequence LIMIT @11" : " AND sequence < @10 ORDER BY sequence DESC LIMIT @11");
        return sql.Replace('@', mark).ToString();
    }
}
