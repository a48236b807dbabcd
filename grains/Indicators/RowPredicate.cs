using System.Collections.Concurrent;
using System.Linq.Expressions;
using System.Runtime.CompilerServices;

using DataHub.Catalog;
using DataHub.Feeds;

namespace DataHub.Indicators;

/// <summary>Whether a filter is true of a row; not where it is false or unknown. Allocates nothing.</summary>
internal delegate bool RowPredicate(RowBlock rows, int row);

/// <summary>Filters made ready for rows.</summary>
internal static class RowPredicates
{
    /// <summary>Filters kept per contract version; far more than a dataset has indicators.</summary>
    private const int MaxKept = 10_000;

    private static readonly ConditionalWeakTable<CompiledContract, ConcurrentDictionary<string, RowPredicate>> s_compiled = [];

    /// <summary>
    /// The filter over rows of this contract version, compiled once for as long as the contract is in memory. A field that a
    /// later version added is null in these rows.
    /// </summary>
    /// <param name="filter">One that <see cref="Fault"/> has let pass.</param>
    public static RowPredicate For(CompiledContract contract, string filter)
    {
        var known = s_compiled.GetValue(contract, static _ => new(StringComparer.Ordinal));
        if (known.Count >= MaxKept) known.Clear();
        return known.GetOrAdd(filter, static (text, fields) => Compile(text, fields), contract.Schema.Fields);
    }

    /// <summary>What is wrong with a filter in itself or over these fields: where, what was found and what is expected. Null: nothing.</summary>
    public static LocalText? Fault(string filter, FieldSpec[] fields, FilterLimits limits)
    {
        try
        {
            new FilterCompiler(fields, absentIsNull: false).Build(FilterReader.Read(filter, limits));
            return null;
        }
        catch (FilterException e)
        {
            return e.Detail;
        }
    }

    private static RowPredicate Compile(string filter, FieldSpec[] fields)
    {
        var compiler = new FilterCompiler(fields, absentIsNull: true);
        var isTrue = compiler.Build(FilterReader.Read(filter, FilterLimits.Greatest));
        return Expression.Lambda<RowPredicate>(isTrue, compiler.Rows, compiler.Row).Compile(preferInterpretation: false);
    }
}
