using System.Reflection;

using MessagePack;
using MessagePack.Formatters;

namespace DataHub.Storage;

/// <summary>
/// One type as an array whose places are the <c>[Id]</c>s of its members. Ids that a newer program has added are
/// passed over; members that an older one did not have keep the value that they have in a new object.
/// </summary>
/// <remarks>Made once per type, by reflection: states are entities and configuration, not rows.</remarks>
internal sealed class IdFormatter<T> : IMessagePackFormatter<T?>
{
    /// <summary>An id this great is a mistake: the array would be all holes.</summary>
    private const int GreatestId = 255;

    private readonly Member?[] _members;
    private readonly ConstructorInfo? _constructor;
    private readonly int[] _parameterIds = [];
    private readonly object?[] _absent = [];

    /// <exception cref="NotSupportedException">The type cannot be stored; the message says why.</exception>
    public IdFormatter()
    {
        var type = typeof(T);
        if (type.IsAbstract || type.BaseType is { } parent && parent != typeof(object) && parent != typeof(ValueType))
        {
            throw new NotSupportedException($"{type} is part of a hierarchy of types; states are plain records.");
        }

        var members = Members(type).ToArray();
        _members = new Member?[members.Length == 0 ? 0 : members.Max(m => m.Id) + 1];
        foreach (var member in members)
        {
            if (_members[member.Id] is { } other) throw new NotSupportedException($"{type}: {other.Name} and {member.Name} have the same id {member.Id}.");
            _members[member.Id] = member;
        }

        var empty = type.GetConstructor(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic, []);
        if ((empty is not null || type.IsValueType) && members.All(m => m.Settable))
        {
            _constructor = empty;
            return;
        }

        (_constructor, _parameterIds) = Matching(type, members);
        _absent = [.. _constructor.GetParameters().Select(Absent)];
    }

    public void Serialize(ref MessagePackWriter writer, T? value, MessagePackSerializerOptions options)
    {
        if (value is null)
        {
            writer.WriteNil();
            return;
        }

        object whole = value;
        writer.WriteArrayHeader(_members.Length);
        foreach (var member in _members)
        {
            if (member is null) writer.WriteNil();
            else member.Write(ref writer, whole, options);
        }
    }

    public T? Deserialize(ref MessagePackReader reader, MessagePackSerializerOptions options)
    {
        if (reader.TryReadNil()) return default;
        options.Security.DepthStep(ref reader);
        try
        {
            var stored = reader.ReadArrayHeader();
            var values = new object?[_members.Length];
            var present = new bool[_members.Length];
            for (var id = 0; id < stored; id++)
            {
                if (id >= _members.Length || _members[id] is not { } member || (member.RefusesNull && reader.NextMessagePackType == MessagePackType.Nil))
                {
                    reader.Skip();
                    continue;
                }

                values[id] = member.Read(ref reader, options);
                present[id] = true;
            }

            return Make(values, present);
        }
        finally
        {
            reader.Depth--;
        }
    }

    private T Make(object?[] values, bool[] present)
    {
        object whole;
        if (_parameterIds.Length == 0)
        {
            whole = _constructor is null ? default(T)! : _constructor.Invoke([]);
        }
        else
        {
            whole = _constructor!.Invoke([.. _parameterIds.Select((id, place) => present[id] ? values[id] : _absent[place])]);
            foreach (var id in _parameterIds) present[id] = false;
        }

        for (var id = 0; id < present.Length; id++)
        {
            if (present[id]) _members[id]!.Set(whole, values[id]);
        }

        return (T)whole;
    }

    private static IEnumerable<Member> Members(Type type)
    {
        const BindingFlags Own = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic;
        foreach (var member in type.GetMembers(Own))
        {
            if (member.GetCustomAttribute<IdAttribute>() is not { } id) continue;
            if (id.Id > GreatestId) throw new NotSupportedException($"{type}: {member.Name} has id {id.Id}; the greatest is {GreatestId}.");
            var memberType = member is PropertyInfo property ? property.PropertyType : ((FieldInfo)member).FieldType;
            yield return (Member)Activator.CreateInstance(typeof(Member<>).MakeGenericType(typeof(T), memberType), (int)id.Id, member)!;
        }
    }

    private static (ConstructorInfo Constructor, int[] ParameterIds) Matching(Type type, Member[] members)
    {
        foreach (var constructor in type.GetConstructors(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic).OrderByDescending(c => c.GetParameters().Length))
        {
            var ids = constructor.GetParameters()
                .Select(p => members.FirstOrDefault(m => string.Equals(m.Name, p.Name, StringComparison.OrdinalIgnoreCase) && m.Type == p.ParameterType)?.Id ?? -1)
                .ToArray();
            if (ids.Length > 0 && !ids.Contains(-1) && members.All(m => m.Settable || ids.Contains(m.Id))) return (constructor, ids);
        }

        throw new NotSupportedException($"{type} has no constructor whose parameters are members with ids.");
    }

    /// <summary>What a parameter gets that was not stored: its default, else nothing; and nobody expects a list to be null.</summary>
    private static object? Absent(ParameterInfo parameter)
    {
        var type = parameter.ParameterType;
        if (parameter.HasDefaultValue && parameter.DefaultValue is { } value) return type.IsEnum ? Enum.ToObject(type, value) : value;
        if (type.IsValueType) return Activator.CreateInstance(type);
        return type.IsArray && new NullabilityInfoContext().Create(parameter).ReadState == NullabilityState.NotNull
            ? Array.CreateInstance(type.GetElementType()!, 0)
            : null;
    }

    private abstract class Member(int id, MemberInfo info, Type type)
    {
        private readonly PropertyInfo? _property = info as PropertyInfo;
        private readonly FieldInfo? _field = info as FieldInfo;

        public int Id => id;

        public string Name => info.Name;

        public Type Type => type;

        /// <summary>Init-only counts: an object just made is being initialised.</summary>
        public bool Settable => _property is null || _property.CanWrite;

        /// <summary>A hole in the array, not a value.</summary>
        public bool RefusesNull { get; } = type.IsValueType && Nullable.GetUnderlyingType(type) is null;

        public abstract void Write(ref MessagePackWriter writer, object whole, MessagePackSerializerOptions options);

        public abstract object? Read(ref MessagePackReader reader, MessagePackSerializerOptions options);

        public void Set(object whole, object? value)
        {
            if (_property is not null) _property.SetValue(whole, value);
            else _field!.SetValue(whole, value);
        }

        protected object? Get(object whole) => _property is not null ? _property.GetValue(whole) : _field!.GetValue(whole);
    }

    private sealed class Member<TMember>(int id, MemberInfo info) : Member(id, info, typeof(TMember))
    {
        public override void Write(ref MessagePackWriter writer, object whole, MessagePackSerializerOptions options) =>
            options.Resolver.GetFormatterWithVerify<TMember>().Serialize(ref writer, (TMember)Get(whole)!, options);

        public override object? Read(ref MessagePackReader reader, MessagePackSerializerOptions options) =>
            options.Resolver.GetFormatterWithVerify<TMember>().Deserialize(ref reader, options);
    }
}
